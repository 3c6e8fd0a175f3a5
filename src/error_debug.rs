//! `Debug` of the public errors.

/// Implements `Debug` as `std::io::Error` does: the variant, and the message of `Display`.
///
/// `unwrap` and a `main` that returns the error print this form, so it has to say what to do. A
/// cause is printed only if the last argument names it: other causes may contain data.
macro_rules! debug_with_message {
    ($error:ident) => {
        impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut debug = f.debug_struct(stringify!($error));
                debug.field("message", &self.to_string()).finish()
            }
        }
    };
    ($error:ident: $($variant:ident),+ $(; source: $source:ident in $with_source:pat)?) => {
        impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let kind = match self {
                    $(Self::$variant { .. } => stringify!($variant),)+
                };
                let mut debug = f.debug_struct(stringify!($error));
                debug.field("kind", &format_args!("{kind}"));
                debug.field("message", &self.to_string());
                $(if let $with_source = self {
                    debug.field("source", $source);
                })?
                debug.finish()
            }
        }
    };
}

pub(crate) use debug_with_message;
