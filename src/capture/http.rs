//! HTTP to one server: JSON requests, answers, streams of events; and the same request as a line for a shell.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, Body};

/// Longest answer that is read; servers list their arguments in some 100 KB.
const LONGEST: u64 = 64 << 20;
/// Where a shell finds the key; the key itself is never printed.
const KEY: &str = "$LLM_PROF_API_KEY";

/// A server's API.
#[derive(Clone)]
pub(super) struct Client {
    agent: Agent,
    base: String,
    key: Option<String>,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Answer {
    /// The body, when it is JSON.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.body).ok()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// In words.
    pub(super) reason: String,
    /// Whether the request may have reached the server.
    pub(super) reached: bool,
}

impl From<ureq::Error> for Broken {
    fn from(error: ureq::Error) -> Self {
        use ureq::{Error, Timeout};
        let refused = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ConnectionRefused;
        let reached = match &error {
            Error::Io(io) => !refused(io),
            Error::HostNotFound | Error::ConnectionFailed | Error::BadUri(_) => false,
            Error::Timeout(timeout) => !matches!(timeout, Timeout::Connect | Timeout::Resolve),
            _ => true,
        };
        let reason = match &error {
            Error::Io(io) if refused(io) => "connection refused".to_owned(),
            Error::Timeout(_) => "no answer in time".to_owned(),
            Error::HostNotFound => "there is no such host".to_owned(),
            other => other.to_string(),
        };
        Self { reason, reached }
    }
}

impl Client {
    /// A client of `url`, as people write it, that waits no longer than `connect` for a connection; the error says what
    /// is wrong with the URL.
    pub(super) fn new(url: &str, key: Option<&str>, connect: Duration) -> Result<Self, String> {
        let base = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let uri: ureq::http::Uri = base.parse().map_err(|error| format!("{url}: {error}"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(format!("{url}: expected http:// or https://"));
        }
        // A password there would end up in logs and lines to copy.
        if uri.authority().is_none_or(|authority| authority.as_str().contains('@')) {
            return Err(format!("{}: expected a host; a key is given with --api-key", uri.host().unwrap_or("the URL")));
        }
        if uri.query().is_some() {
            return Err(format!("{url}: expected the beginning of the API, without `?`"));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // Straight to the URL that was given, and nowhere else.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .timeout_connect(Some(connect))
            .user_agent(concat!("llm-prof/", env!("CARGO_PKG_VERSION")));
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { agent: config.build().into(), base, key: key.map(str::to_owned) })
    }

    /// The URL without a `/` at its end.
    pub(super) fn url(&self) -> &str {
        &self.base
    }

    /// The host of the URL.
    pub(super) fn host(&self) -> String {
        let uri = self.base.parse::<ureq::http::Uri>().ok();
        uri.and_then(|uri| Some(uri.host()?.to_owned())).unwrap_or_default()
    }

    pub(super) fn get(&self, path: &str, longest: Duration) -> Result<Answer, Broken> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        answer(request.config().timeout_global(Some(longest)).build().call()?)
    }

    pub(super) fn post(&self, path: &str, body: Option<&Value>, longest: Duration) -> Result<Answer, Broken> {
        answer(self.posting(path).config().timeout_global(Some(longest)).build().send(text(body))?)
    }

    /// The events of a streamed answer; `silence` is the longest wait for the next one.
    pub(super) fn stream(&self, path: &str, body: &Value, silence: Duration) -> Result<Result<Events, Answer>, Broken> {
        let posting = self.posting(path).config().timeout_recv_response(Some(silence)).timeout_per_read(Some(silence));
        let response = posting.build().send(text(Some(body)))?;
        if response.status().as_u16() != 200 {
            return Ok(Err(answer(response)?));
        }
        Ok(Ok(Events { lines: BufReader::new(Box::new(response.into_body().into_reader())), line: Vec::new() }))
    }

    fn posting(&self, path: &str) -> ureq::RequestBuilder<ureq::typestate::WithBody> {
        let request = self.agent.post(format!("{}{path}", self.base)).header("content-type", "application/json");
        match &self.key {
            Some(key) => request.header("authorization", format!("Bearer {key}")),
            None => request,
        }
    }

    /// A POST as a line for a shell.
    pub(super) fn curl(&self, path: &str, body: Option<&Value>) -> String {
        let key = if self.key.is_some() { format!(" -H \"Authorization: Bearer {KEY}\"") } else { String::new() };
        let body = match body {
            Some(body) => {
                format!(" -H 'Content-Type: application/json' -d {}", quoted(&body.to_string()))
            }
            None => String::new(),
        };
        format!("curl -X POST{key}{body} '{}{path}'", self.base.replace('\'', "%27"))
    }
}

/// A word as a POSIX shell takes it; what needs no quotes has none, flags among it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "%+,-./:=@_".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn text(body: Option<&Value>) -> String {
    body.map_or_else(String::new, Value::to_string)
}

fn answer(mut response: Response<Body>) -> Result<Answer, Broken> {
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(LONGEST).read_to_vec()?;
    Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
}

/// Events of a streamed answer; the connection is closed when this goes away.
pub(super) struct Events {
    lines: BufReader<Box<dyn std::io::Read + Send>>,
    line: Vec<u8>,
}

impl Iterator for Events {
    type Item = Result<Value, Broken>;

    /// The next event; none at the end.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.line.clear();
            match self.lines.read_until(b'\n', &mut self.line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => {
                    return Some(Err(Broken { reason: format!("the stream broke: {error}"), reached: true }));
                }
            }
            let line = String::from_utf8_lossy(&self.line);
            match line.trim().strip_prefix("data:").map(str::trim) {
                Some("[DONE]") => return None,
                Some(data) => {
                    if let Ok(event) = serde_json::from_str(data) {
                        return Some(Ok(event));
                    }
                }
                // Empty lines, comments, names of events.
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn client(url: &str, key: Option<&str>) -> Result<Client, String> {
        Client::new(url, key, Duration::from_secs(5))
    }

    #[test]
    fn a_url_is_taken_as_people_write_it() {
        assert_eq!(client("127.0.0.1:30000/", None).ok().unwrap().url(), "http://127.0.0.1:30000");
        assert_eq!(client("https://h/v/", None).ok().unwrap().host(), "h");
        for wrong in ["ftp://h", "http://me:pw@h", "http://h/?key=1", "http://"] {
            let message = client(wrong, None).err().unwrap();
            assert!(!message.contains("pw"), "{message}");
        }
    }

    #[test]
    fn a_line_for_a_shell_names_the_key_and_does_not_hold_it() {
        let client = client("http://h:1", Some("s3cret")).ok().unwrap();
        assert_eq!(
            client.curl("/stop_profile", Some(&json!({ "a": "it's" }))),
            r#"curl -X POST -H "Authorization: Bearer $LLM_PROF_API_KEY" -H 'Content-Type: application/json' -d '{"a":"it'\''s"}' 'http://h:1/stop_profile'"#
        );
    }
}
