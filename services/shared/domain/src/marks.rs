//! WhatsApp's marks in a text: `*bold*`, `_italic_`, `~struck~`, `` `code` ``, ```` ```block``` ```` and `> quoted`.
//! Lists and notifications show plain words, so there the marks go and what they mark stays.
//!
//! A mark is one only where WhatsApp sees one: it opens before a word and closes after one, on the same line.
//! So `2 * 3 * 4`, `snake_case_name` and a lone `*` stay as they are.

/// The text without its marks.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, code, after)) = block(rest) {
        lines(before, &mut plain);
        plain.push_str(code);
        rest = after;
    }
    lines(rest, &mut plain);
    plain
}

/// The first block of code, what comes before and what after it.
fn block(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("```")?;
    let (code, after) = rest.split_once("```")?;
    (!code.trim().is_empty()).then_some((before, code, after))
}

fn lines(text: &str, plain: &mut String) {
    for line in text.split_inclusive('\n') {
        let line: Vec<char> = line.strip_prefix("> ").unwrap_or(line).chars().collect();
        spans(&line, plain);
    }
}

fn spans(line: &[char], plain: &mut String) {
    let mut at = 0;
    while let Some(&mark) = line.get(at) {
        let Some(end) = closing(line, at) else {
            plain.push(mark);
            at += 1;
            continue;
        };
        let inside = &line[at + 1..end];
        if mark == '`' {
            plain.extend(inside);
        } else {
            spans(inside, plain);
        }
        at = end + 1;
    }
}

/// Where the mark that opens here is closed.
fn closing(line: &[char], open: usize) -> Option<usize> {
    let mark = line[open];
    let before = open.checked_sub(1).map(|at| line[at]);
    let is_mark = matches!(mark, '*' | '_' | '~' | '`');
    let opens = line.get(open + 1).is_some_and(|next| !next.is_whitespace() && *next != mark);
    if !is_mark || !opens || before.is_some_and(|c| c.is_alphanumeric() || c == mark) {
        return None;
    }
    let closes = |&at: &usize| {
        let after = line.get(at + 1);
        let word_ends = after.is_none_or(|c| !c.is_alphanumeric() && *c != mark);
        line[at] == mark && !line[at - 1].is_whitespace() && word_ends
    };
    (open + 2..line.len()).find(closes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn marks_go_and_what_they_mark_stays() {
        for (text, wanted) in [
            ("*Sale* ends _today_, ~50~ 60 %", "Sale ends today, 50 60 %"),
            ("*_both_* and *two words*", "both and two words"),
            ("run `ls *` now", "run ls * now"),
            ("```let x = *p;```", "let x = *p;"),
            ("> was said\nand *answered*", "was said\nand answered"),
            ("(*so*), \"_so_\"!", "(so), \"so\"!"),
            ("*über* _日本_", "über 日本"),
        ] {
            assert_eq!(plain(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_mark_stays() {
        for text in [
            "2 * 3 * 4 = 24",
            "snake_case_name and a*b*c",
            "* a list\n* of two",
            "*open",
            "**",
            "~",
            "***",
            "`",
            "```",
            "``````",
            "* spaced *",
            "one *line\nand* another",
            ">no quote",
        ] {
            assert_eq!(plain(text), text);
        }
    }

    proptest! {
        #[test]
        fn only_marks_are_taken_away(text in "[a-z*_~`> \n]{0,40}") {
            let letters = |text: &str| text.chars().filter(char::is_ascii_lowercase).collect::<String>();
            let plain = plain(&text);
            prop_assert!(plain.len() <= text.len());
            prop_assert_eq!(letters(&plain), letters(&text));
        }

        #[test]
        fn a_text_without_marks_is_itself(text in "[^*_~`>]{0,80}") {
            prop_assert_eq!(plain(&text), text);
        }
    }
}
