//! The frame of a page: one file that asks the network for nothing, with a policy that lets nothing else run.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What a page is made of.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// In the title bar.
    pub title: &'a str,
    /// Id and title of each section, for the links on top.
    pub sections: Vec<(String, String)>,
    /// What stands above the links.
    pub header: Markup,
    /// The sections.
    pub main: Markup,
    /// What stands at the end.
    pub footer: Markup,
}

impl Page<'_> {
    /// The whole file. Same content, same bytes.
    pub fn render(&self) -> String {
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
            digest(STYLE),
            digest(SCRIPT)
        );
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#main" { "Skip to the tables" }
                    header.top { (self.header) }
                    @if self.sections.len() > 1 {
                        nav aria-label="Sections" {
                            ul { @for (id, title) in &self.sections { li { a href={ "#" (id) } { (title) } } } }
                        }
                    }
                    main #main { (self.main) }
                    footer { (self.footer) }
                    p #said .unseen role="status" {}
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        let mut text = page.into_string();
        text.push('\n');
        text
    }
}

/// Data for the script: JSON in which nothing can end the element that it stands in.
pub fn data(id: &str, value: &impl Serialize) -> Markup {
    let json = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    html! { script type="application/json" id=(id) { (PreEscaped(json.replace('<', "\\u003c"))) } }
}

fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_end_its_element() {
        let markup = data("x", &["</script><script>alert(1)</script>", "<!--"]).into_string();
        assert_eq!(markup.matches('<').count(), 2, "{markup}");
    }

    #[test]
    fn style_and_script_can_stand_in_their_elements_and_stay_small() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
        assert!(SCRIPT.len() < 25 << 10 && STYLE.len() < 16 << 10, "{} {}", SCRIPT.len(), STYLE.len());
    }
}
