use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

use super::Message;
use super::past::Past;

/// The messages of a chat, oldest first. Numbers stay valid when old messages are forgotten.
///
/// Messages of before the run are made when they are read, and kept only once something happened
/// to them: years of history cost no memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timeline {
    past: Option<Past>,
    touched: HashMap<u64, Message>,
    kept: VecDeque<Message>,
    /// The number of the first message that is kept.
    first: u64,
}

impl Timeline {
    /// A chat that began long ago.
    pub(super) fn after(past: Past) -> Self {
        Self { first: past.count(), past: Some(past), ..Self::default() }
    }

    fn past_count(&self) -> u64 {
        self.past.as_ref().map_or(0, Past::count)
    }

    /// Adds a message and returns its number, with the message that is forgotten beyond `limit`.
    pub(crate) fn push(
        &mut self,
        message: Message,
        limit: Option<usize>,
    ) -> (u64, Option<Message>) {
        self.kept.push_back(message);
        let number = self.next() - 1;
        if limit.is_none_or(|limit| self.kept.len() <= limit.max(1)) {
            return (number, None);
        }
        self.first += 1;
        (number, self.kept.pop_front())
    }

    /// The number that the next message will have.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    fn index(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first)?).ok()
    }

    /// A message of this run, or an older one that something happened to.
    pub(crate) fn get(&self, number: u64) -> Option<&Message> {
        if number < self.past_count() {
            return self.touched.get(&number);
        }
        self.kept.get(self.index(number)?)
    }

    /// Any message.
    pub(crate) fn read(&self, number: u64) -> Option<Cow<'_, Message>> {
        match (&self.past, self.get(number)) {
            (_, Some(message)) => Some(Cow::Borrowed(message)),
            (Some(past), None) if number < past.count() => Some(Cow::Owned(past.message(number))),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut Message> {
        match &self.past {
            Some(past) if number < past.count() => {
                Some(self.touched.entry(number).or_insert_with(|| past.message(number)))
            }
            _ => {
                let index = self.index(number)?;
                self.kept.get_mut(index)
            }
        }
    }

    /// The number of the message in this place, counted from the oldest that there is.
    pub(crate) fn number_at(&self, place: usize) -> u64 {
        let place = place as u64;
        let past = self.past_count();
        if place < past { place } else { self.first + (place - past) }
    }

    /// Messages that there are.
    pub(crate) fn len(&self) -> usize {
        usize::try_from(self.past_count()).unwrap_or(usize::MAX).saturating_add(self.kept.len())
    }

    /// When the message in this place was sent.
    pub(crate) fn at(&self, place: usize) -> Timestamp {
        match (&self.past, place as u64) {
            (Some(past), number) if number < past.count() => past.sent_at(number),
            (_, number) => {
                let index = usize::try_from(number - self.past_count()).unwrap_or(usize::MAX);
                self.kept.get(index).map_or(Timestamp::MAX, |message| message.sent_at)
            }
        }
    }

    /// How many messages there are, from the oldest on, for which `earlier` says yes. It is asked
    /// with time and number, and must not say yes again after a no.
    pub(crate) fn count_while(&self, earlier: impl Fn(Timestamp, u64) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if earlier(self.at(middle), self.number_at(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// When the newest message was sent that the world had posted as its `order`th or before.
    pub(crate) fn last_at_mark(&self, order: u64) -> Option<Timestamp> {
        let known = self.kept.partition_point(|message| message.order <= order);
        let place = usize::try_from(self.past_count()).ok()? + known;
        Some(self.at(place.checked_sub(1)?))
    }

    /// When the newest message was sent.
    pub(crate) fn last_at(&self) -> Option<Timestamp> {
        self.len().checked_sub(1).map(|place| self.at(place))
    }

    /// The newest message.
    pub(crate) fn last(&self) -> Option<Cow<'_, Message>> {
        self.read(self.number_at(self.len().checked_sub(1)?))
    }

    /// All messages, oldest first; those of before are made on the way.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Cow<'_, Message>> {
        (0..self.len()).filter_map(|place| self.read(self.number_at(place)))
    }

    /// The newest messages of this run with their numbers, newest first.
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
    use super::*;
    use crate::world::{Content, Who};

    fn message(id: &str) -> Message {
        Message::new(id.into(), id.to_owned(), Who::OWNER, Timestamp::UNIX_EPOCH, Content::Empty)
    }

    #[test]
    fn a_number_means_the_same_message_after_older_ones_are_forgotten() {
        let mut timeline = Timeline::default();
        let numbers: Vec<u64> =
            (0..5).map(|n| timeline.push(message(&n.to_string()), Some(2)).0).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
        assert!(timeline.get(2).is_none());
        assert_eq!(&*timeline.get(3).unwrap().id, "3");
        let newest: Vec<u64> = timeline.newest(9).map(|(number, _)| number).collect();
        assert_eq!(newest, [4, 3]);
    }
}
