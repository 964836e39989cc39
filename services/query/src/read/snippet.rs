//! The piece of a text that shows why it was found.

use channel_domain::search;

/// A piece of a text, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The piece.
    pub text: String,
    /// Where words that were asked for stand in it: first code point, and one past the last.
    pub highlights: Vec<(u32, u32)>,
    /// Text was left out before.
    pub cut_before: bool,
    /// Text was left out after.
    pub cut_after: bool,
}

impl Excerpt {
    /// The piece of `text` around the first of the `words`.
    #[must_use]
    pub fn of(text: &str, words: &[String]) -> Self {
        let snippet = search::snippet(text, words);
        let characters = |byte: usize| {
            let before = snippet.text.get(..byte).unwrap_or(&snippet.text);
            u32::try_from(before.chars().count()).unwrap_or(u32::MAX)
        };
        let hits = snippet.hits.iter();
        Self {
            highlights: hits.map(|(from, to)| (characters(*from), characters(*to))).collect(),
            text: one_line(&snippet.text),
            cut_before: snippet.cut_before,
            cut_after: snippet.cut_after,
        }
    }
}

/// One blank for each line break or control character, so that places stay where they are.
fn one_line(text: &str) -> String {
    let harmless =
        |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
    text.chars().map(harmless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marked(excerpt: &Excerpt) -> Vec<String> {
        let text: Vec<char> = excerpt.text.chars().collect();
        let piece = |(from, to): &(u32, u32)| text[*from as usize..*to as usize].iter().collect();
        excerpt.highlights.iter().map(piece).collect()
    }

    #[test]
    fn highlights_count_code_points_and_cuts_are_told_apart() {
        let text = format!("{} 👋 the Café\nis open {}", "x ".repeat(80), "y ".repeat(80));
        let excerpt = Excerpt::of(&text, &search::query("cafe"));
        assert_eq!(marked(&excerpt), ["Café"]);
        assert!(excerpt.cut_before && excerpt.cut_after);
        assert!(!excerpt.text.contains(['…', '\n']), "{}", excerpt.text);
    }

    #[test]
    fn a_text_with_an_ellipsis_of_its_own_is_not_taken_for_a_cut_one() {
        for text in ["…café…", "… the café", "café …", "…", ""] {
            let excerpt = Excerpt::of(text, &search::query("cafe"));
            assert!(!excerpt.cut_before && !excerpt.cut_after, "{text}: {excerpt:?}");
            assert_eq!(excerpt.text, text);
        }
    }

    /// A text whose end repeats its beginning was once taken for one cut at the other end.
    #[test]
    fn a_text_that_ends_as_its_excerpt_does_is_cut_where_it_is_cut() {
        let piece = format!("ééé hello {}", "y ".repeat(24));
        let piece = piece.trim_end();
        let excerpt =
            Excerpt::of(&format!("{piece}{} {piece}…", "z ".repeat(40)), &search::query("hello"));
        assert!(!excerpt.cut_before && excerpt.cut_after, "{excerpt:?}");
        assert_eq!(marked(&excerpt), ["hello"]);
    }

    proptest! {
        #[test]
        fn an_excerpt_is_a_piece_of_the_text_and_marks_whole_words(
            before in "[a-yé …]{0,120}", after in "[a-yé …]{0,120}",
        ) {
            let text = format!("{before} Zebra {after}");
            let excerpt = Excerpt::of(&text, &search::query("zeb"));
            prop_assert!(text.contains(&excerpt.text));
            prop_assert_eq!(marked(&excerpt), ["Zebra"]);
            prop_assert_eq!(excerpt.cut_before, !text.starts_with(&excerpt.text));
            prop_assert_eq!(excerpt.cut_after, !text.ends_with(&excerpt.text));
        }
    }
}
