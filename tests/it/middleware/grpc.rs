//! The layers around gRPC services.

use super::*;

#[tokio::test]
async fn tonic_services_have_sessions_without_axum() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let layer = JwtRedisSession::new(sessions).headers_only();
    let require = RequireSession::new().empty_body();
    let required = layer.layer(require.layer(tonic::service::Routes::default()));
    for (token, status) in [(&*token, 200), ("bad", 401)] {
        let request = Request::post("http://localhost/hello.Greeter/SayHello")
            .header("content-type", "application/grpc")
            .header("authorization", format!("Bearer {token}"))
            .body(tonic::body::Body::empty());
        let answer = required.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), status);
        // The service is called: it has no such method.
        assert_eq!(
            header(&answer, "grpc-status"),
            (status == 200).then_some("12")
        );
    }
    // A whole server type-checks, too.
    let _ = tonic::transport::Server::builder()
        .layer(layer)
        .add_routes(tonic::service::Routes::default());
}
