//! What a contact answers. It follows from what was written, the seed and the message's place.

use crate::dice::{Dice, purpose};

/// Words of a message, and answers to messages with one of them. The first that fits decides.
const ANSWERS: [(&[&str], &[&str]); 7] = [
    (&["thank", "thanks", "cheers"], &["You're welcome!", "Any time 🙂", "Thank you!"]),
    (
        &["price", "cost", "much", "$", "€"],
        &["That's fair, I'll take it", "A bit more than I hoped"],
    ),
    (
        &["when", "time", "tomorrow", "today", "monday", "friday", "o'clock"],
        &["Around noon suits me", "Any time after five", "Let me check my calendar"],
    ),
    (&["sorry", "unfortunately", "delay"], &["No problem at all", "Thanks for letting me know"]),
    (
        &["hello", "hi", "hey", "morning"],
        &["Hi! How are you?", "Hello 👋", "Good to hear from you"],
    ),
    (
        &["order", "delivery", "parcel", "shipped"],
        &["Great, I'll be at home", "Perfect, thank you"],
    ),
    (&["?"], &["Yes, please", "I think so", "Not sure, let me ask", "No, not this time"]),
];
const OTHERWISE: [&str; 5] = ["👍", "Okay, noted", "Sounds good", "Got it, thanks", "Perfect"];

/// The answer to a text.
pub(super) fn to(text: &str, seed: u64, order: u64) -> String {
    let dice = &mut Dice::new(seed, purpose::ANSWER | order);
    let asked = text.to_lowercase();
    let fits = |words: &[&str]| words.iter().any(|word| contains(&asked, word));
    let choices = ANSWERS.iter().find(|(words, _)| fits(words));
    let choices = choices.map_or(&OTHERWISE[..], |(_, choices)| choices);
    let answer = dice.pick(choices).copied().unwrap_or_default();
    match asked.split_whitespace().next() {
        // Now and then people make clear what they mean.
        Some(_) if dice.chance(0.2) => format!("{answer} (about “{}”)", shortened(text)),
        _ => answer.to_owned(),
    }
}

/// Signs may stand anywhere, words only by themselves.
fn contains(text: &str, word: &str) -> bool {
    if !word.starts_with(char::is_alphabetic) {
        return text.contains(word);
    }
    text.split(|c: char| !c.is_alphanumeric() && c != '\'').any(|part| part == word)
}

fn shortened(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(4).collect();
    words.join(" ").chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_suits_the_text_and_repeats_with_the_seed() {
        for order in 0..50 {
            let answer = to("Thanks a lot!", 7, order);
            assert!(ANSWERS[0].1.iter().any(|known| answer.starts_with(known)), "{answer}");
            assert_eq!(answer, to("Thanks a lot!", 7, order));
        }
        let other = |seed| (0..50).map(|n| to("What is this?", seed, n)).collect::<Vec<_>>();
        assert_ne!(other(1), other(2));
    }

    #[test]
    fn a_word_inside_of_another_one_is_not_meant() {
        assert!(contains("hi there", "hi") && !contains("this", "hi"));
    }
}
