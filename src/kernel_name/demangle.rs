//! Itanium names (`_ZN..`) to text; what the demangler cannot read is read by its length-prefixed names.

use cpp_demangle::{BorrowedSymbol, DemangleOptions, DemangleWrite};
use std::fmt;

/// Longer names go to the reader of length prefixes at once; real ones have 5 kB.
const LONGEST: usize = 32 << 10;

/// Back references can make a short name print without end.
const LONGEST_TEXT: usize = 256 << 10;

/// Nesting of template arguments that is read.
const DEPTH: usize = 64;

/// The name in C++ notation; none when `raw` is not mangled.
pub(super) fn demangle(raw: &str) -> Option<String> {
    let rest = raw.strip_prefix("_Z").or_else(|| raw.strip_prefix("__Z"))?;
    let mangled = &raw[raw.len() - rest.len() - 2..];
    whole(mangled).or_else(|| by_length(rest))
}

/// By the whole grammar.
fn whole(mangled: &str) -> Option<String> {
    if mangled.len() > LONGEST {
        return None;
    }
    let symbol = BorrowedSymbol::new(mangled.as_bytes()).ok()?;
    let mut text = Bounded(String::new());
    symbol.structured_demangle(&mut text, &DemangleOptions::new()).ok()?;
    Some(text.0.replace("std::bfloat16_t", "__bf16").replace("(bool)1", "true").replace("(bool)0", "false"))
}

/// Text that refuses to grow past a limit.
struct Bounded(String);

impl DemangleWrite for Bounded {
    fn write_string(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LONGEST_TEXT {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// By the names and constants that can be told without the rest of the grammar: the identifier, and of its template
/// arguments what is plain. Reads names that were cut short, too.
fn by_length(rest: &str) -> Option<String> {
    let mut reader = Reader { rest };
    let mut text = String::new();
    reader.name(&mut text, 0);
    Some(text).filter(|text| !text.is_empty())
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn eat(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn peek(&self) -> Option<u8> {
        self.rest.bytes().next()
    }

    fn skip(&mut self) {
        let mut chars = self.rest.chars();
        chars.next();
        self.rest = chars.as_str();
    }

    fn digits(&mut self) -> &'a str {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        digits
    }

    /// `<length><text>`; a text that was cut short is what is left.
    fn source_name(&mut self) -> Option<&'a str> {
        let length: usize = self.digits().parse().ok()?;
        let name = self.rest.get(..length).unwrap_or(self.rest);
        self.rest = &self.rest[name.len()..];
        let unnamed = name.starts_with("_GLOBAL__N_");
        Some(if unnamed { "(anonymous namespace)" } else { name }).filter(|name| !name.is_empty())
    }

    /// A name, nested or not, with its template arguments.
    fn name(&mut self, out: &mut String, depth: usize) {
        let nested = self.eat("N");
        while nested && (self.eat("K") || self.eat("V") || self.eat("r")) {}
        let begin = out.len();
        loop {
            match self.peek() {
                Some(b'0'..=b'9') => {
                    let Some(name) = self.source_name() else { return };
                    if out.len() > begin {
                        out.push_str("::");
                    }
                    out.push_str(name);
                }
                Some(b'I') => {
                    self.skip();
                    self.arguments(out, depth + 1);
                }
                // A back reference: what it stands for is not known here.
                Some(b'S') => self.substitution(),
                Some(b'L') if nested || out.len() == begin => self.skip(),
                Some(b'E') if nested => return self.skip(),
                _ => return,
            }
            if !nested && out.len() > begin && self.peek() != Some(b'I') {
                return;
            }
        }
    }

    fn substitution(&mut self) {
        self.skip();
        if matches!(self.peek(), Some(b't' | b'a' | b's' | b'b' | b'i' | b'o' | b'd')) {
            return self.skip();
        }
        while matches!(self.peek(), Some(b'0'..=b'9' | b'A'..=b'Z')) {
            self.skip();
        }
        self.eat("_");
    }

    /// Template arguments up to their `E`.
    fn arguments(&mut self, out: &mut String, depth: usize) {
        let begin = out.len();
        out.push('<');
        let mut first = true;
        while !self.rest.is_empty() && !self.eat("E") {
            let mut argument = String::new();
            let before = self.rest.len();
            self.argument(&mut argument, depth);
            if self.rest.len() == before {
                self.skip();
            }
            if !argument.is_empty() {
                if !std::mem::take(&mut first) {
                    out.push_str(", ");
                }
                out.push_str(&argument);
            }
        }
        out.push('>');
        if out[begin..].bytes().all(|b| b"<?, >".contains(&b)) {
            // Nothing but back references.
            out.truncate(begin);
        }
    }

    fn argument(&mut self, out: &mut String, depth: usize) {
        if depth > DEPTH {
            return;
        }
        if self.eat("Tn") || self.eat("Tk") {
            // The declared type of what follows (C++20); says nothing more.
            return self.argument(&mut String::new(), depth + 1);
        }
        match self.peek() {
            Some(b'L') => self.constant(out, depth),
            Some(b'P' | b'R' | b'O' | b'K' | b'V') => {
                self.skip();
                self.argument(out, depth + 1);
            }
            // A pack lists its members among the others.
            Some(b'J') => {
                self.skip();
                self.list(out, depth, ", ");
            }
            Some(b'X' | b'F') => {
                self.skip();
                self.list(out, depth, " ");
            }
            Some(b'N' | b'0'..=b'9') => self.name(out, depth),
            Some(b'S') => {
                let before = out.len();
                self.substitution();
                if matches!(self.peek(), Some(b'I')) {
                    self.skip();
                    self.arguments(out, depth + 1);
                }
                if out.len() == before {
                    out.push('?');
                }
            }
            Some(b'T') => {
                self.skip();
                self.digits();
                self.eat("_");
                out.push('?');
            }
            _ => self.builtin(out),
        }
    }

    /// Members up to their `E`.
    fn list(&mut self, out: &mut String, depth: usize, between: &str) {
        while !self.rest.is_empty() && !self.eat("E") {
            if between == " " && self.peek().is_some_and(|b| b.is_ascii_lowercase()) {
                // An operator or a plain type: of an expression, names alone are kept.
                self.skip();
                continue;
            }
            let mut member = String::new();
            let before = self.rest.len();
            self.argument(&mut member, depth + 1);
            if self.rest.len() == before {
                self.skip();
            }
            if !member.is_empty() && (member != "?" || between == ", ") {
                if !out.is_empty() {
                    out.push_str(between);
                }
                out.push_str(&member);
            }
        }
    }

    /// `Lb1E`, `Li256E`, `LN2ns4KindE3E`, `L_Z4siluI..E`.
    fn constant(&mut self, out: &mut String, depth: usize) {
        self.skip();
        if self.eat("_Z") {
            self.name(out, depth + 1);
            // The parameters of the function, up to the end of the constant.
            return self.list(&mut String::new(), depth, " ");
        }
        let mut kind = String::new();
        let boolean = self.eat("b");
        let named = matches!(self.peek(), Some(b'N' | b'S' | b'0'..=b'9'));
        if !boolean {
            self.argument(&mut kind, depth + 1);
        }
        let negative = if self.eat("n") { "-" } else { "" };
        let digits = self.digits();
        while self.peek().is_some_and(|b| b != b'E') {
            self.skip();
        }
        self.eat("E");
        match (boolean, digits) {
            (true, "0") => out.push_str("false"),
            (true, _) => out.push_str("true"),
            _ => {
                if named && !kind.is_empty() {
                    out.push('(');
                    out.push_str(&kind);
                    out.push(')');
                }
                out.push_str(negative);
                out.push_str(digits);
            }
        }
    }

    fn builtin(&mut self, out: &mut String) {
        const NAMES: [(&str, &str); 21] = [
            ("DF16b", "__bf16"),
            ("DF16_", "_Float16"),
            ("Dh", "half"),
            ("v", "void"),
            ("b", "bool"),
            ("c", "char"),
            ("a", "signed char"),
            ("h", "unsigned char"),
            ("s", "short"),
            ("t", "unsigned short"),
            ("i", "int"),
            ("j", "unsigned int"),
            ("l", "long"),
            ("m", "unsigned long"),
            ("x", "long long"),
            ("y", "unsigned long long"),
            ("f", "float"),
            ("d", "double"),
            ("e", "long double"),
            ("w", "wchar_t"),
            ("z", "..."),
        ];
        match NAMES.iter().find(|(code, _)| self.rest.starts_with(code)) {
            Some((code, name)) => {
                self.rest = &self.rest[code.len()..];
                out.push_str(name);
            }
            None => self.skip(),
        }
    }
}
