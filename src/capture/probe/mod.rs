//! Is a server answering sense? Some requests of text, one after another: what failed, what had no words, how long it
//! took.

mod answer;
pub mod markdown;
mod model;
pub mod text;

use std::time::{Duration, Instant};

use serde_json::json;

use super::http::{Answer, Broken, Client};
use super::problem::{Kind, Problem};
use super::server::{self, reason};
use super::template::{Holes, render};
use crate::plain;
use crate::rules::schema::servers::{Route, Sense, Servers};
use answer::Reply;
pub use model::*;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// URL of the server.
    pub url: String,
    /// Key of the API; never written down.
    pub key: Option<String>,
    /// Framework id; none: found out.
    pub framework: Option<String>,
    /// Model; none: the one that the server names first.
    pub model: Option<String>,
    /// Requests.
    pub requests: u64,
    /// Most tokens of an answer.
    pub max_tokens: u64,
    /// Longest wait for an answer.
    pub timeout: Duration,
    /// Prompt of all requests; none: those of the rules.
    pub prompt: Option<String>,
}

/// Sends the requests. The error: there was nothing to send them to.
pub fn run(ask: &Ask, servers: &Servers) -> Result<Probe, Problem> {
    let common = &servers.common;
    let wrong = |text: String| Problem { kind: Kind::Usage, say: text, fix: None };
    let client = Client::new(&ask.url, ask.key.as_deref(), common.waits.connect()).map_err(wrong)?;
    let about = server::about(&client, servers, ask.framework.as_deref(), common.waits.probe())?;
    let model = ask.model.clone().or(about.model);
    let mut talk = Talk { ask, client: &client, servers, model: model.as_deref(), route: None };

    let (mut answered, mut times, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    let mut remarks = Vec::new();
    for request in 1..=ask.requests {
        let prompt = talk.prompt(request);
        let begun = Instant::now();
        let answer = talk.send(&prompt)?;
        let ms = begun.elapsed().as_secs_f64() * 1000.0;
        match answer {
            Ok(answer) if answer.status == 200 => {
                let json = answer.json().unwrap_or_default();
                times.push(ms);
                answered.push((request, prompt, answer::read(&json, &common.sense), ms));
            }
            Ok(answer) => {
                let reason = format!("HTTP {}: {}", answer.status, reason(&answer, servers));
                errors.push(Failed { request, reason });
            }
            Err(Broken { reason, .. }) => {
                errors.push(Failed { request, reason });
                if request < ask.requests {
                    remarks.push(format!("the requests after {request} were not sent: that one was not answered"));
                }
                break;
            }
        }
    }

    let empty = answered.iter().filter(|(_, _, reply, _)| reply.is_empty()).count() as u64;
    let only_thinking = answered.iter().filter(|(_, _, reply, _)| reply.text.is_empty()).count() as u64 - empty;
    let all_non_empty = empty == 0 && !answered.is_empty();
    remarks.extend(remarks_on(empty, only_thinking, ask.max_tokens));
    Ok(Probe {
        schema: "llm-prof.probe/1",
        url: client.url().to_owned(),
        framework: about.file.map(|file| file.id.clone()),
        framework_title: about.file.map(|file| file.title.clone()),
        framework_version: about.version,
        route: talk.route.map_or_else(String::new, |route| route.post.clone()),
        model,
        requests: ask.requests,
        answered: answered.len() as u64,
        max_tokens: ask.max_tokens,
        success: errors.is_empty() && all_non_empty,
        all_non_empty,
        only_thinking,
        latency_ms: Latency::of(times),
        errors,
        samples: answered.into_iter().take(common.sense.samples).map(|one| sample(one, &common.sense)).collect(),
        remarks,
    })
}

/// The outcome as indented JSON, with a line end.
pub fn json(probe: &Probe) -> String {
    plain::json(probe)
}

fn remarks_on(empty: u64, only_thinking: u64, max_tokens: u64) -> Vec<String> {
    let answers = |n: u64| if n == 1 { "1 answer".to_owned() } else { format!("{n} answers") };
    let mut out = Vec::new();
    if empty > 0 {
        out.push(format!("{} without a word", answers(empty)));
    }
    if only_thinking > 0 {
        let thought = answers(only_thinking);
        out.push(format!(
            "{thought} of thinking only: {max_tokens} tokens were over before a word was said; --max-tokens allows more"
        ));
    }
    out
}

fn sample((request, prompt, reply, ms): (u64, String, Reply, f64), sense: &Sense) -> Sample {
    let cut = |text: String| match text.char_indices().nth(sense.sample_chars) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    };
    let thinking = Some(cut(reply.thinking)).filter(|text| !text.is_empty());
    Sample { request, prompt, answer: cut(reply.text), thinking, latency_ms: round(ms) }
}

/// Requests to one server.
struct Talk<'a> {
    ask: &'a Ask,
    client: &'a Client,
    servers: &'a Servers,
    model: Option<&'a str>,
    /// The one that the server has, once that is known.
    route: Option<&'a Route>,
}

impl Talk<'_> {
    fn prompt(&self, request: u64) -> String {
        let prompts = &self.servers.common.sense.prompts;
        match &self.ask.prompt {
            Some(prompt) => prompt.clone(),
            None => {
                prompts.iter().cycle().nth((request - 1) as usize % prompts.len().max(1)).cloned().unwrap_or_default()
            }
        }
    }

    /// One request by the route that the server has. The outer error: it has none.
    fn send(&mut self, prompt: &str) -> Result<Result<Answer, Broken>, Problem> {
        let common = &self.servers.common;
        let routes: Vec<&Route> = self.route.map_or_else(|| common.sense.routes.iter().collect(), |route| vec![route]);
        for route in &routes {
            let mut holes = Holes::from([("prompt", json!(prompt)), ("out", json!(self.ask.max_tokens))]);
            holes.extend(self.model.map(|model| ("model", json!(model))));
            let answer = self.client.post(&route.post, Some(&render(&route.body, &holes)), self.ask.timeout);
            if answer.as_ref().is_ok_and(|answer| self.is_missing(answer)) && self.route.is_none() {
                continue;
            }
            self.wants_key(&answer, &route.post)?;
            self.route = Some(route);
            return Ok(answer);
        }
        let paths: Vec<&str> = routes.iter().map(|route| route.post.as_str()).collect();
        let holes = [("url", self.client.url()), ("routes", &paths.join(", "))];
        Err(Problem::new(&common.messages.no_route, &holes))
    }

    fn is_missing(&self, answer: &Answer) -> bool {
        let body = answer.body.to_lowercase();
        self.servers.common.sense.missing.iter().any(|missing| {
            missing.status.iter().any(|status| status.holds(answer.status))
                && (missing.body.is_empty() || missing.body.iter().any(|part| body.contains(&part.to_lowercase())))
        })
    }

    fn wants_key(&self, answer: &Result<Answer, Broken>, path: &str) -> Result<(), Problem> {
        match answer {
            Ok(answer) => server::wants_key(answer, self.client.url(), path, self.servers),
            Err(_) => Ok(()),
        }
    }
}
