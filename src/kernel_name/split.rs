//! A demangled name in, its path of components out, by one scan with a stack of brackets.

/// One step of a qualified name: `apply<T>(int)` of `ns::launcher<1>::apply<T>(int)`.
#[derive(Clone, Copy, Debug)]
struct Component<'a> {
    name: &'a str,
    /// What stands between `<` and `>`.
    args: Option<&'a str>,
}

/// A function, type or value named in a text, return type, parameters and lambdas off.
#[derive(Debug)]
pub(super) struct Entity<'a> {
    text: &'a str,
    components: Vec<Component<'a>>,
}

impl<'a> Entity<'a> {
    /// The qualified name without any template argument; never empty unless the text is.
    pub(super) fn identifier(&self) -> String {
        let names: Vec<&str> = self.components.iter().map(|component| component.name).collect();
        let joined = names.join("::");
        if joined.trim_matches(':').is_empty() { self.text.to_owned() } else { joined }
    }

    /// Template arguments of the last component that has some.
    pub(super) fn args(&self) -> Vec<&'a str> {
        self.components.iter().rev().find_map(|component| component.args).map(arguments).unwrap_or_default()
    }

    /// The texts between `<` and `>`, of every component.
    pub(super) fn all_args(&self) -> impl Iterator<Item = &'a str> {
        self.components.iter().filter_map(|component| component.args)
    }
}

/// The entity that `text` names: `ns::f` of `std::enable_if<..>::type ns::f<int>(int)::{lambda(int)#1}`.
pub(super) fn entity(text: &str) -> Entity<'_> {
    let whole = || Entity { text, components: vec![Component { name: text, args: None }] };
    let Some(mut components) = scan(text) else { return whole() };
    // Lambdas and call operators belong to the function or class that holds them.
    let own = components.iter().rposition(|component| !is_inner(component.name));
    components.truncate(own.map_or(0, |last| last + 1));
    if components.is_empty() { whole() } else { Entity { text, components } }
}

/// Whether a component has no name of its own.
fn is_inner(name: &str) -> bool {
    name.is_empty() || name == "operator()" || name.starts_with(['{', '\'', '$'])
}

/// The components of a qualified name; none when the text is no C++ name (`Memcpy DtoD (Device -> Device)`).
fn scan(text: &str) -> Option<Vec<Component<'_>>> {
    let b = text.as_bytes();
    let mut components = Vec::new();
    let (mut at, mut start) = (0, 0);
    // End of the current component's name, once arguments, parameters or a qualifier ended it.
    let mut end = None;
    let mut args = None;
    while at < b.len() {
        match b[at] {
            b':' if b.get(at + 1) == Some(&b':') => {
                components.push(Component { name: &text[start..end.take().unwrap_or(at)], args: args.take() });
                at += 2;
                start = at;
            }
            b'o' if at == start && end.is_none() && is_operator(&b[at..]) => at = operator_end(b, at),
            open @ (b'<' | b'(' | b'{' | b'[') => {
                let close = matching(b, at);
                let past = (close + 1).min(b.len());
                if start < at && open != b'{' {
                    end.get_or_insert(at);
                    if open == b'<' {
                        args = Some(&text[at + 1..close]);
                    }
                }
                at = past;
            }
            b' ' => {
                let rest = &b[at + 1..];
                if let Some(length) = qualifier(rest) {
                    end.get_or_insert(at);
                    at += 1 + length;
                } else if rest.first() == Some(&b'(') && !rest.starts_with(b"(anonymous namespace)") {
                    return None;
                } else {
                    // What came so far was a return type.
                    components.clear();
                    (end, args) = (None, None);
                    at += 1;
                    start = at;
                }
            }
            _ => at += 1,
        }
    }
    components.push(Component { name: &text[start..end.unwrap_or(b.len())], args });
    Some(components)
}

/// Length of what may follow a parameter list: `const`, `&`, `[clone .x]`; none when another name begins.
fn qualifier(rest: &[u8]) -> Option<usize> {
    let word = [b"const".as_slice(), b"volatile", b"noexcept", b"&&", b"&"].into_iter().find(|w| rest.starts_with(w));
    match word {
        Some(word) if matches!(rest.get(word.len()), None | Some(b' ' | b':')) => Some(word.len()),
        _ if rest.first() == Some(&b'[') => Some(0),
        _ => None,
    }
}

fn is_operator(rest: &[u8]) -> bool {
    rest.starts_with(b"operator") && !rest.get(8).is_some_and(|&b| is_word(b))
}

/// Where the name of an operator ends: `operator()`, `operator<`, `operator float`.
fn operator_end(b: &[u8], at: usize) -> usize {
    let mut end = at + 8;
    if b[end..].starts_with(b"()") || b[end..].starts_with(b"[]") {
        return end + 2;
    }
    if b.get(end) == Some(&b' ') {
        end += 1;
        while b.get(end).is_some_and(|b| !matches!(b, b'(' | b'<' | b' ')) {
            end += 1;
        }
        return end;
    }
    while b.get(end).is_some_and(|b| b"<>=+-*/%^&|!~,".contains(b)) {
        end += 1;
    }
    end
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80
}

/// The top-level arguments in a text without its outer brackets.
pub(super) fn arguments(text: &str) -> Vec<&str> {
    let b = text.as_bytes();
    let mut brackets = Brackets::default();
    let mut found = Vec::new();
    let mut start = 0;
    for at in 0..b.len() {
        brackets.step(b, at);
        if b[at] == b',' && brackets.is_closed() {
            found.push(text[start..at].trim());
            start = at + 1;
        }
    }
    let last = text[start..].trim();
    if !last.is_empty() {
        found.push(last);
    }
    found
}

/// Where the bracket that opens at `at` closes; the end of the text when it was cut short.
fn matching(b: &[u8], at: usize) -> usize {
    let mut brackets = Brackets::default();
    brackets.open(b[at]);
    for i in at + 1..b.len() {
        brackets.step(b, i);
        if brackets.is_closed() {
            return i;
        }
    }
    b.len()
}

/// The brackets open at a place.
#[derive(Default)]
struct Brackets {
    stack: Vec<u8>,
    /// How many of `(`, `{`, `[` are in the stack, so that a stray closing one costs nothing.
    open: [usize; 3],
}

impl Brackets {
    fn is_closed(&self) -> bool {
        self.stack.is_empty()
    }

    fn open(&mut self, bracket: u8) {
        self.stack.push(bracket);
        if let Some(kind) = kind(bracket) {
            self.open[kind] += 1;
        }
    }

    fn step(&mut self, b: &[u8], at: usize) {
        match b[at] {
            b'<' if opens_arguments(&b[..at]) => self.open(b'<'),
            // Inside parentheses, and after `-`, it is an operator.
            b'>' if self.stack.last() == Some(&b'<')
                && !matches!(b[..at].last(), Some(b'-'))
                && !after_operator(&b[..at]) =>
            {
                self.stack.pop();
            }
            bracket @ (b'(' | b'{' | b'[') => self.open(bracket),
            b')' => self.close(b'('),
            b'}' => self.close(b'{'),
            b']' => self.close(b'['),
            _ => {}
        }
    }

    /// Closes the innermost bracket of this kind and what stands open inside it.
    fn close(&mut self, bracket: u8) {
        let Some(kind) = kind(bracket) else { return };
        if self.open[kind] == 0 {
            return;
        }
        while let Some(top) = self.stack.pop() {
            if let Some(kind) = self::kind(top) {
                self.open[kind] -= 1;
            }
            if top == bracket {
                return;
            }
        }
    }
}

fn kind(bracket: u8) -> Option<usize> {
    b"({[".iter().position(|&open| open == bracket)
}

/// Whether a `<` after this text opens template arguments; else it compares or shifts.
fn opens_arguments(before: &[u8]) -> bool {
    match before {
        [.., b')'] => before.ends_with(b"operator()"),
        [.., second, b' '] => *second == b',',
        _ => !after_operator(before),
    }
}

fn after_operator(before: &[u8]) -> bool {
    before.ends_with(b"operator") || before.ends_with(b"operator<") || before.ends_with(b"operator>")
}

/// Whether a template argument is a type or a function rather than a number, a boolean or a typed constant.
pub(super) fn is_type(arg: &str) -> bool {
    let starts = arg.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b >= 0x80);
    (starts && !matches!(arg, "true" | "false")) || arg.starts_with("(anonymous namespace)")
}

/// A constant without its type: `1024` of `1024u`, `1` of `(ns::Kind)1`.
pub(super) fn value(arg: &str) -> &str {
    let bare = if arg.starts_with('(') && !arg.starts_with("(anonymous") {
        arg.get(matching(arg.as_bytes(), 0) + 1..).unwrap_or(arg).trim()
    } else {
        arg
    };
    let digits = bare.trim_end_matches(['u', 'l', 'U', 'L']);
    let number = digits.strip_prefix('-').unwrap_or(digits);
    if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) { digits } else { bare }
}
