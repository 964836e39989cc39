//! Conversations that people could have, one line at a time.

use crate::dice::Dice;

const DIRECT: &str = include_str!("direct.txt");
const GROUP: &str = include_str!("group.txt");

const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const ITEMS: [&str; 12] = [
    "desk lamp",
    "wool blanket",
    "teapot",
    "picture frame",
    "garden chair",
    "coffee grinder",
    "backpack",
    "wall clock",
    "bookshelf",
    "cutting board",
    "candle set",
    "hammock",
];

/// Who says a line: the account's owner, or one of the others by turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaker {
    Owner,
    Other(usize),
}

#[derive(Debug, Clone)]
struct Line {
    speaker: Speaker,
    text: &'static str,
}

/// All conversations, for two and for groups.
#[derive(Debug, Clone)]
pub(crate) struct Bank {
    direct: Vec<Vec<Line>>,
    group: Vec<Vec<Line>>,
}

/// How far one chat has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Thread {
    dialogue: Option<usize>,
    line: usize,
    blanks: [(&'static str, String); 6],
}

impl Bank {
    pub(crate) fn new() -> Self {
        Self { direct: parse(DIRECT), group: parse(GROUP) }
    }

    /// What is said next in a chat, and by whom. Begins another conversation after the last line.
    pub(crate) fn next(
        &self,
        group: bool,
        thread: &mut Thread,
        dice: &mut Dice,
    ) -> (Speaker, String) {
        let dialogues = if group { &self.group } else { &self.direct };
        let under_way = thread.dialogue.and_then(|d| dialogues.get(d)?.get(thread.line));
        let line = under_way.or_else(|| {
            thread.begin(dice, dialogues.len());
            dialogues.get(thread.dialogue?)?.first()
        });
        thread.line += 1;
        line.map_or((Speaker::Owner, String::new()), |line| (line.speaker, thread.fill(line.text)))
    }
}

impl Bank {
    /// A line of a conversation that was had long ago: the same dice tell of the same conversation.
    pub(crate) fn recall(&self, group: bool, line: usize, dice: &mut Dice) -> (Speaker, String) {
        let dialogues = if group { &self.group } else { &self.direct };
        let mut thread = Thread::default();
        thread.begin(dice, dialogues.len());
        let lines = thread.dialogue.and_then(|d| dialogues.get(d)).map_or(&[][..], Vec::as_slice);
        let line = lines.get(line % lines.len().max(1));
        line.map_or((Speaker::Owner, String::new()), |line| (line.speaker, thread.fill(line.text)))
    }
}

impl Thread {
    fn begin(&mut self, dice: &mut Dice, dialogues: usize) {
        self.dialogue = Some(match self.dialogue {
            // Never the same one twice in a row.
            Some(last) => (last + 1 + dice.below(dialogues.saturating_sub(1))) % dialogues.max(1),
            None => dice.below(dialogues),
        });
        self.line = 0;
        let word = |choice: Option<&&'static str>| choice.copied().unwrap_or_default().to_owned();
        self.blanks = [
            ("{day}", word(dice.pick(&DAYS))),
            ("{item}", word(dice.pick(&ITEMS))),
            ("{order}", format!("#{}", dice.between(10_000, 99_999))),
            ("{time}", format!("{}:{}0", dice.between(10, 19), dice.between(0, 5))),
            ("{price}", dice.between(8, 240).to_string()),
            ("{count}", dice.between(2, 12).to_string()),
        ];
    }

    fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (blank, word) in &self.blanks {
            if text.contains(blank) {
                text = text.replace(blank, word);
            }
        }
        text
    }
}

fn parse(text: &'static str) -> Vec<Vec<Line>> {
    text.split("\n\n").map(|block| block.lines().filter_map(parse_line).collect()).collect()
}

/// `<` is the owner, `>` the other party, `2>` the second of a group.
fn parse_line(line: &'static str) -> Option<Line> {
    let (mark, text) = line.split_once(' ')?;
    let speaker = match mark {
        "<" => Speaker::Owner,
        ">" => Speaker::Other(0),
        other => Speaker::Other(other.strip_suffix('>')?.parse::<usize>().ok()?.checked_sub(1)?),
    };
    Some(Line { speaker, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_scripts_is_understood() {
        for (text, dialogues) in [(DIRECT, parse(DIRECT)), (GROUP, parse(GROUP))] {
            let lines = text.lines().filter(|line| !line.is_empty()).count();
            assert_eq!(dialogues.iter().map(Vec::len).sum::<usize>(), lines);
            assert!(dialogues.iter().all(|dialogue| dialogue.len() > 2));
        }
    }

    #[test]
    fn no_blank_is_left_open_and_no_text_is_empty() {
        let (bank, mut dice) = (Bank::new(), Dice::new(3, 0));
        for group in [false, true] {
            let mut thread = Thread::default();
            for _ in 0..500 {
                let (_, text) = bank.next(group, &mut thread, &mut dice);
                assert!(!text.is_empty() && !text.contains(['{', '}']), "{text}");
            }
        }
    }
}
