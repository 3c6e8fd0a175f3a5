//! The form of the lines of the log.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// The target of the lines that tell of a request each.
pub(crate) const ACCESS: &str = "sessiond::access";

/// Writes lines as `other` does, but those of [`ACCESS`] in a form of their own: there is one for
/// each request, and the usual way to write one takes longer than many a request.
///
/// Their fields are numbers and words that need no quotes and no escapes, in either form.
pub(crate) struct Lines<F> {
    other: F,
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    Text,
    Json,
}

impl<F> Lines<F> {
    pub(crate) const fn text(other: F) -> Self {
        let form = Form::Text;
        Self { other, form }
    }

    pub(crate) const fn json(other: F) -> Self {
        let form = Form::Json;
        Self { other, form }
    }
}

impl<S, N, F> FormatEvent<S, N> for Lines<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if event.metadata().target() != ACCESS {
            return self.other.format_event(context, writer, event);
        }
        let (start, middle) = match self.form {
            Form::Text => ("", "  INFO request"),
            Form::Json => (
                r#"{"timestamp":""#,
                r#"","level":"INFO","target":"sessiond::access","message":"request""#,
            ),
        };
        writer.write_str(start)?;
        SystemTime.format_time(&mut writer)?;
        writer.write_str(middle)?;
        let mut fields = Fields {
            writer: &mut writer,
            form: self.form,
            result: Ok(()),
        };
        event.record(&mut fields);
        fields.result?;
        writer.write_str(match self.form {
            Form::Text => "\n",
            Form::Json => "}\n",
        })
    }
}

/// Writes fields one after the other.
struct Fields<'a, 'w> {
    writer: &'a mut Writer<'w>,
    form: Form,
    result: fmt::Result,
}

impl Fields<'_, '_> {
    fn name(&mut self, field: &Field) -> fmt::Result {
        let (before, after) = match self.form {
            Form::Text => (" ", "="),
            Form::Json => (r#",""#, r#"":"#),
        };
        self.writer.write_str(before)?;
        self.writer.write_str(field.name())?;
        self.writer.write_str(after)
    }

    fn word(&mut self, field: &Field, word: &str) -> fmt::Result {
        self.name(field)?;
        let quote = match self.form {
            Form::Text => "",
            Form::Json => "\"",
        };
        self.writer.write_str(quote)?;
        self.writer.write_str(word)?;
        self.writer.write_str(quote)
    }

    fn number(&mut self, field: &Field, number: u64) -> fmt::Result {
        self.name(field)?;
        write!(self.writer, "{number}")
    }
}

impl Visit for Fields<'_, '_> {
    fn record_str(&mut self, field: &Field, word: &str) {
        self.result = self.result.and_then(|()| self.word(field, word));
    }

    fn record_u64(&mut self, field: &Field, number: u64) {
        self.result = self.result.and_then(|()| self.number(field, number));
    }

    /// There is nothing of any other type.
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::format;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Sink {
        fn lines(&self) -> Vec<String> {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            text.lines().map(str::to_owned).collect()
        }
    }

    fn log() {
        let (method, route) = ("GET", "/session/{bucket}/{id}");
        tracing::info!(target: ACCESS, id = "a-1", method, route, status = 200_u16, micros = 7_u64);
        tracing::info!(other = "quoted \" here", "text");
    }

    #[test]
    fn a_request_is_a_line_of_words() {
        let sink = Sink::default();
        let writer = sink.clone();
        let builder = tracing_subscriber::fmt().with_ansi(false);
        let builder = builder.with_writer(move || writer.clone());
        let subscriber = builder.event_format(Lines::text(format())).finish();
        tracing::subscriber::with_default(subscriber, log);
        let [request, other] = sink.lines().try_into().unwrap();
        let (_, rest) = request.split_once("Z  INFO ").unwrap();
        let fields = "id=a-1 method=GET route=/session/{bucket}/{id} status=200 micros=7";
        assert_eq!(rest, format!("request {fields}"));
        assert!(other.ends_with(r#"text other="quoted \" here""#), "{other}");
    }

    #[test]
    fn a_request_is_an_object() {
        let sink = Sink::default();
        let writer = sink.clone();
        let json = format().json().flatten_event(true);
        let builder = tracing_subscriber::fmt().json();
        let builder = builder.with_writer(move || writer.clone());
        let subscriber = builder.event_format(Lines::json(json)).finish();
        tracing::subscriber::with_default(subscriber, log);
        let lines = sink.lines();
        let lines: Vec<serde_json::Value> = lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let request = &lines[0];
        assert_eq!(request["message"], "request");
        assert_eq!(request["id"], "a-1");
        assert_eq!(request["route"], "/session/{bucket}/{id}");
        assert_eq!(
            (&request["status"], &request["micros"]),
            (&200.into(), &7.into())
        );
        assert_eq!(lines[1]["message"], "text");
        let keys = |line: &serde_json::Value| line["timestamp"].is_string();
        assert!(lines.iter().all(keys));
    }
}
