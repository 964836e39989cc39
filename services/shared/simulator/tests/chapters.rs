//! Another chapter of the same world: the same people and chats, other messages.

use std::collections::BTreeSet;

use channel_simulator::{Script, SimulatorConfig};

/// The chats and the messages of the first events of a chapter.
fn told(chapter: u32) -> (BTreeSet<String>, BTreeSet<String>) {
    let config = SimulatorConfig { chapter, total: Some(400), ..SimulatorConfig::default() };
    let mut script = Script::new(&config);
    script.by_ref().for_each(drop);
    let model = script.model();
    (model.chats.into_keys().collect(), model.messages.into_keys().collect())
}

#[test]
fn a_later_chapter_has_the_same_chats_and_other_messages() {
    let (chats, messages) = told(0);
    let (later_chats, later_messages) = told(7);
    assert_eq!(chats, later_chats);
    assert!(messages.len() > 100 && later_messages.len() > 100);
    assert!(messages.is_disjoint(&later_messages));
    assert_eq!(told(7), (later_chats, later_messages), "a chapter repeats");
}
