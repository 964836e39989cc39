//! How text is searched: one rule for both databases.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The longest text that is indexed, in characters; WhatsApp's own limit is far below it.
const INDEXED: usize = 70_000;
/// The longest word that is indexed, in characters.
const WORD: usize = 64;
/// How many words a query may have.
const QUERY_WORDS: usize = 16;
/// Characters of context on each side of a hit.
const CONTEXT: usize = 48;

/// The words of a text as they are indexed: without accents, case and punctuation.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c))
        .take(INDEXED)
        .map(fold)
        .filter(|word| !word.is_empty())
}

/// The text to index: its words, one blank between them.
#[must_use]
pub fn indexed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in words(text) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&word);
    }
    out
}

/// The words that a query asks for. A hit must have all of them, each as a word's beginning.
#[must_use]
pub fn query(text: &str) -> Vec<String> {
    let mut asked: Vec<String> = words(text).take(QUERY_WORDS).collect();
    asked.sort_unstable();
    asked.dedup();
    asked
}

/// Without accents and case; at most [`WORD`] characters.
fn fold(word: &str) -> String {
    word.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_alphanumeric())
        .take(WORD)
        .collect()
}

/// A piece of a text around its first hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The piece.
    pub text: String,
    /// Where hits are in it, as ranges of bytes.
    pub hits: Vec<(usize, usize)>,
    /// Text was left out before.
    pub cut_before: bool,
    /// Text was left out after.
    pub cut_after: bool,
}

/// Cuts the piece of `text` around the first word that begins with one of `asked`.
#[must_use]
pub fn snippet(text: &str, asked: &[String]) -> Snippet {
    let hits = hits(text, asked);
    let first = hits.first().copied().unwrap_or((0, 0));
    let start = back(text, first.0, CONTEXT);
    let end = forward(text, first.1, CONTEXT);
    Snippet {
        text: text[start..end].to_owned(),
        hits: hits
            .iter()
            .filter(|(from, to)| *from >= start && *to <= end)
            .map(|(from, to)| (from - start, to - start))
            .collect(),
        cut_before: start > 0,
        cut_after: end < text.len(),
    }
}

fn hits(text: &str, asked: &[String]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric() && !is_combining_mark(c)) {
        let bare = word.trim_end_matches(|c: char| !c.is_alphanumeric() && !is_combining_mark(c));
        let folded = fold(bare);
        if !folded.is_empty() && asked.iter().any(|asked| folded.starts_with(asked.as_str())) {
            found.push((at, at + bare.len()));
        }
        at += word.len();
    }
    found
}

fn back(text: &str, from: usize, characters: usize) -> usize {
    text[..from].char_indices().rev().take(characters).last().map_or(from, |(at, _)| at)
}

fn forward(text: &str, from: usize, characters: usize) -> usize {
    text[from..].char_indices().nth(characters).map_or(text.len(), |(at, _)| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accents_case_and_punctuation_are_forgiven() {
        assert_eq!(indexed("Crème BRÛLÉE, s'il vous plaît!"), "creme brulee s il vous plait");
        assert_eq!(indexed("Ａｂｃ ﬁne ½"), "abc fine 12");
        assert_eq!(query("  brûl CREME brul "), ["brul", "creme"]);
    }

    #[test]
    fn a_snippet_shows_the_first_hit_and_marks_all() {
        let text =
            format!("{} the Café is open, cafés are nice {}", "x ".repeat(80), "y ".repeat(80));
        let snippet = snippet(&text, &query("cafe"));
        let marked: Vec<_> = snippet.hits.iter().map(|(a, b)| &snippet.text[*a..*b]).collect();
        assert_eq!(marked, ["Café", "cafés"]);
        assert!(snippet.cut_before && snippet.cut_after);
    }

    proptest! {
        #[test]
        fn any_text_can_be_cut(text in ".{0,200}", asked in ".{0,10}") {
            let cut = snippet(&text, &query(&asked));
            for (from, to) in cut.hits {
                prop_assert!(cut.text.get(from..to).is_some());
            }
        }

        #[test]
        fn indexing_twice_changes_nothing(text in ".{0,200}") {
            let once = indexed(&text);
            prop_assert_eq!(indexed(&once), once);
        }
    }
}
