use std::collections::VecDeque;

use super::Message;

/// The messages of a chat, oldest first. Numbers stay valid when old messages are forgotten.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timeline {
    kept: VecDeque<Message>,
    forgotten: u64,
}

impl Timeline {
    /// Adds a message, forgets the oldest beyond `limit`, and returns the new one's number.
    pub(crate) fn push(&mut self, message: Message, limit: Option<usize>) -> u64 {
        self.kept.push_back(message);
        let number = self.next() - 1;
        while limit.is_some_and(|limit| self.kept.len() > limit.max(1)) {
            self.kept.pop_front();
            self.forgotten += 1;
        }
        number
    }

    /// The number that the next message will have.
    pub(crate) fn next(&self) -> u64 {
        self.forgotten + self.kept.len() as u64
    }

    fn index(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.forgotten)?).ok()
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Message> {
        self.kept.get(self.index(number)?)
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut Message> {
        let index = self.index(number)?;
        self.kept.get_mut(index)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.kept.iter()
    }

    /// The newest messages with their numbers, newest first.
    pub(crate) fn newest(&self, count: usize) -> impl Iterator<Item = (u64, &Message)> {
        let last = self.next();
        self.kept
            .iter()
            .rev()
            .take(count)
            .zip(1..)
            .map(move |(message, back)| (last - back, message))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::world::{Content, Who};

    fn message(id: &str) -> Message {
        Message::new(id.into(), id.to_owned(), Who::OWNER, Timestamp::UNIX_EPOCH, Content::Empty)
    }

    #[test]
    fn a_number_means_the_same_message_after_older_ones_are_forgotten() {
        let mut timeline = Timeline::default();
        let numbers: Vec<u64> =
            (0..5).map(|n| timeline.push(message(&n.to_string()), Some(2))).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
        assert!(timeline.get(2).is_none());
        assert_eq!(&*timeline.get(3).unwrap().id, "3");
        let newest: Vec<u64> = timeline.newest(9).map(|(number, _)| number).collect();
        assert_eq!(newest, [4, 3]);
    }
}
