//! Annotations of a GitHub workflow: one `::error` line a gate that did not pass. Escapes are those of the runner's own
//! toolkit (`%`, carriage return, line feed; in properties `:` and `,` as well).

use super::{Check, Outcome};

/// The lines, in order; empty when all passed.
pub fn annotations(check: &Check) -> Vec<String> {
    let bad = super::markdown::ordered(check).into_iter().filter(|gate| gate.outcome != Outcome::Passed);
    bad.map(|gate| {
        let fix = gate.fix.as_ref().map_or_else(String::new, |fix| format!("\n{fix}"));
        error(&format!("llm-prof check {}: {}", gate.outcome.word(), gate.asked), &format!("{}{fix}", gate.text))
    })
    .collect()
}

/// One annotation.
fn error(title: &str, message: &str) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let title = data(title).replace(':', "%3A").replace(',', "%2C");
    format!("::error title={title}::{}", data(message))
}

#[cfg(test)]
mod tests {
    use super::error;

    #[test]
    fn nothing_in_a_message_can_end_it_or_begin_another() {
        assert_eq!(
            error("a: b, 5 %", "100 %\r\n::warning::x"),
            "::error title=a%3A b%2C 5 %25::100 %25%0D%0A::warning::x"
        );
    }
}
