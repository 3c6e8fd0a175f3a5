//! The tests of every store on one cluster, one after the other.

use jwt_redis_session::RedisStore;

use super::*;
use crate::support::redis_cluster::RedisCluster;

#[tokio::test]
async fn every_operation_keeps_its_promises_on_a_cluster() {
    let cluster = RedisCluster::start();
    let tests = [
        absolute_expiry::ON_CLUSTER,
        authentication::ON_CLUSTER,
        chosen_ids::ON_CLUSTER,
        creation::ON_CLUSTER,
        destroy::ON_CLUSTER,
        devices::ON_CLUSTER,
        everything::ON_CLUSTER,
        failures::ON_CLUSTER,
        grace::ON_CLUSTER,
        grace_races::ON_CLUSTER,
        handles::ON_CLUSTER,
        introspection::ON_CLUSTER,
        limits::ON_CLUSTER,
        login::ON_CLUSTER,
        max_age::ON_CLUSTER,
        newer_max_age::ON_CLUSTER,
        owners::ON_CLUSTER,
        pages::ON_CLUSTER,
        reload::ON_CLUSTER,
        rotation::ON_CLUSTER,
        tickets::ON_CLUSTER,
        values::ON_CLUSTER,
    ];
    for test in tests.concat() {
        for master in &cluster.nodes()[..3] {
            master.run(&["FLUSHALL"]);
        }
        let store = RedisStore::connect(&cluster.url()).await;
        test(store.expect("connect")).await;
    }
}
