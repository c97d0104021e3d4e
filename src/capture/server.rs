//! Which server it is, by what its answers show, and what it says of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::http::{Answer, Broken, Client};
use super::problem::Problem;
use crate::rules::schema::servers::{Answer as AnswerRule, Factor, Look, ServerFile, Servers, Sign, pick};

/// A server that was identified.
pub(super) struct Server<'r> {
    pub(super) client: Client,
    pub(super) file: &'r ServerFile,
    pub(super) facts: Facts,
}

/// What a server says of itself; absent is unknown.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Facts {
    pub(super) version: Option<String>,
    pub(super) model: Option<String>,
    pub(super) context: Option<u64>,
    pub(super) vocabulary: Option<u64>,
    /// The part of a disaggregated server.
    pub(super) part: Option<String>,
    /// Traces that a capture writes.
    pub(super) ranks: Option<u64>,
    /// Its arguments, without what is secret.
    pub(super) arguments: Map<String, Value>,
}

/// Answers of GET requests, each asked for once.
pub(super) struct Probes<'c> {
    client: Option<&'c Client>,
    longest: Duration,
    seen: BTreeMap<String, Option<Value>>,
}

impl<'c> Probes<'c> {
    pub(super) fn new(client: &'c Client, longest: Duration) -> Self {
        Self { client: Some(client), longest, seen: BTreeMap::new() }
    }

    /// Answers that are known beforehand; all else is not found.
    #[cfg(test)]
    pub(super) fn of(answers: &BTreeMap<String, Value>) -> Self {
        let seen = answers.iter().map(|(path, value)| (path.clone(), Some(value.clone()))).collect();
        Self { client: None, longest: Duration::ZERO, seen }
    }

    fn take(&mut self, path: &str, answer: &Answer) {
        self.seen.insert(path.to_owned(), answer.json().filter(|_| answer.status == 200));
    }

    fn get(&mut self, path: &str) -> Option<&Value> {
        if !self.seen.contains_key(path) {
            let answer = self.client.and_then(|client| client.get(path, self.longest).ok());
            self.seen.insert(path.to_owned(), answer.filter(|a| a.status == 200).and_then(|a| a.json()));
        }
        self.seen.get(path).and_then(Option::as_ref)
    }

    fn at(&mut self, get: &str, at: &str) -> Option<&Value> {
        self.get(get)?.pointer(at).filter(|value| !value.is_null())
    }

    /// The first place that has something.
    fn look(&mut self, places: &[Look]) -> Option<Value> {
        places.iter().find_map(|place| self.at(&place.get, &place.at).cloned())
    }

    fn shows(&mut self, sign: &Sign) -> bool {
        let found = self.at(&sign.get, &sign.at);
        found.is_some_and(|value| sign.is.as_ref().is_none_or(|is| value.as_str() == Some(is)))
    }

    /// Whether it is a server of this file.
    pub(super) fn is(&mut self, file: &ServerFile) -> bool {
        file.identify.iter().any(|sign| self.shows(sign))
    }

    /// The file of a server; `framework` says so without asking.
    fn file<'r>(&mut self, servers: &'r Servers, framework: Option<&str>) -> Option<&'r ServerFile> {
        match framework {
            Some(id) => servers.of(id),
            None => servers.servers.iter().find(|file| self.is(file)),
        }
    }

    fn factor(&mut self, factor: &Factor) -> Option<u64> {
        let size = self.look(&factor.size)?.as_u64()?;
        let counted = self.look(&factor.unless).is_some_and(|value| value == json!(true));
        Some(if counted { 1 } else { size })
    }

    fn text(&mut self, places: &[Look]) -> Option<String> {
        self.look(places).and_then(|value| Some(value.as_str()?.to_owned()))
    }

    pub(super) fn facts(&mut self, file: &ServerFile, servers: &Servers) -> Facts {
        let places = &file.facts;
        let part = self.text(&places.disaggregation);
        let ranks: Option<Vec<u64>> = places.ranks.iter().map(|factor| self.factor(factor)).collect();
        let said = self.look(&places.arguments);
        let mut facts = Facts {
            version: self.text(&places.version),
            model: self.text(&places.model),
            context: self.look(&places.context).and_then(|value| value.as_u64()),
            vocabulary: self.look(&places.vocabulary).and_then(|value| value.as_u64()),
            part: part.filter(|part| !servers.common.whole_server.contains(part)),
            ranks: ranks.filter(|sizes| !sizes.is_empty()).map(|sizes| sizes.into_iter().fold(1, u64::saturating_mul)),
            arguments: Map::new(),
        };
        let mut arguments = match said {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        };
        for (key, value) in [("model", &facts.model), ("version", &facts.version)] {
            if let Some(value) = value {
                arguments.entry(key).or_insert_with(|| json!(value));
            }
        }
        if let Some(context) = facts.context {
            arguments.entry("max_model_len").or_insert(json!(context));
        }
        facts.arguments = arguments;
        facts
    }
}

/// Asks a server what it is; `framework` says so without asking.
pub(super) fn find<'r>(
    client: Client,
    servers: &'r Servers,
    framework: Option<&str>,
    longest: Duration,
) -> Result<Server<'r>, Problem> {
    let mut probes = first_look(&client, servers, longest)?;
    let Some(file) = probes.file(servers, framework) else {
        let known: Vec<&str> = servers.servers.iter().map(|file| file.title.as_str()).collect();
        let holes = [("url", client.url()), ("known", &known.join(", "))];
        return Err(Problem::new(&servers.common.messages.unknown_server, &holes));
    };
    let facts = probes.facts(file, servers);
    drop(probes);
    Ok(Server { client, file, facts })
}

/// What is known of a server that need not be a known one.
pub(super) struct About<'r> {
    pub(super) file: Option<&'r ServerFile>,
    pub(super) version: Option<String>,
    pub(super) model: Option<String>,
}

/// The same of a server of any kind.
pub(super) fn about<'r>(
    client: &Client,
    servers: &'r Servers,
    framework: Option<&str>,
    longest: Duration,
) -> Result<About<'r>, Problem> {
    let mut probes = first_look(client, servers, longest)?;
    let file = probes.file(servers, framework);
    let version = file.and_then(|file| probes.text(&file.facts.version));
    Ok(About { file, version, model: probes.text(&servers.common.sense.model) })
}

/// The first question: whether anything answers, and lets us in.
fn first_look<'c>(client: &'c Client, servers: &Servers, longest: Duration) -> Result<Probes<'c>, Problem> {
    let (ready, url) = (&servers.common.ready, client.url());
    let first = client.get(ready, longest).map_err(|Broken { reason, .. }| {
        Problem::new(&servers.common.messages.no_answer, &[("url", url), ("reason", &reason)])
    })?;
    wants_key(&first, url, ready, servers)?;
    let mut probes = Probes::new(client, longest);
    probes.take(ready, &first);
    Ok(probes)
}

/// An error when an answer means that a key is wanted.
pub(super) fn wants_key(answer: &Answer, url: &str, path: &str, servers: &Servers) -> Result<(), Problem> {
    if !servers.common.wants_key.iter().any(|status| status.holds(answer.status)) {
        return Ok(());
    }
    let status = answer.status.to_string();
    Err(Problem::new(&servers.common.messages.wants_key, &[("url", url), ("path", path), ("status", &status)]))
}

/// What an answer means, by the server's own rules, then by those of all.
pub(super) fn judge<'r>(answer: &Answer, own: &'r [AnswerRule], common: &'r [AnswerRule]) -> Option<&'r AnswerRule> {
    let body = answer.body.to_lowercase();
    own.iter().chain(common).find(|rule| {
        (rule.status.is_empty() || rule.status.iter().any(|status| status.holds(answer.status)))
            && (rule.body.is_empty() || rule.body.iter().any(|part| body.contains(&part.to_lowercase())))
    })
}

impl Server<'_> {
    /// Version for people.
    pub(super) fn version(&self) -> &str {
        self.facts.version.as_deref().unwrap_or("of unknown version")
    }

    /// What a server of this version is started with.
    pub(super) fn launch(&self, dir: &str) -> Option<String> {
        let launch = pick(&self.file.launch, self.facts.version.as_deref())?;
        Some(launch.needs.as_deref()?.replace("{dir}", dir))
    }
}

/// What an answer says of itself, in one line.
pub(super) fn reason(answer: &Answer, servers: &Servers) -> String {
    let json = answer.json();
    let said = json.as_ref().and_then(|json| servers.common.reasons.iter().find_map(|at| json.pointer(at)));
    let text = match said {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) if items.is_empty() => String::new(),
        Some(other) => other.to_string(),
        None => answer.body.clone(),
    };
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = text.chars().take(300).filter(|c| !c.is_control()).collect();
    if short.is_empty() { "it says no more".to_owned() } else { short }
}
