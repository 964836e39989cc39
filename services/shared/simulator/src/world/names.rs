//! Invented people and groups.

/// The contacts that a newcomer sees first.
const CAST: [&str; 12] = [
    "Maya Lindqvist",
    "Oliver Grant",
    "José Ferreira",
    "Amelia Hart",
    "Noah Becker",
    "Zoë Vandenberg",
    "Priya Nair",
    "Lucas Moreau",
    "Hannah Sørensen",
    "Theo Castellano",
    "Ingrid Novák",
    "Samuel Okoye",
];

const FIRST: [&str; 24] = [
    "Ada", "Bruno", "Clara", "Dario", "Elena", "Felix", "Greta", "Hugo", "Iris", "Jonas", "Kira",
    "Leo", "Mila", "Nils", "Olga", "Pablo", "Quinn", "Rosa", "Silas", "Tessa", "Umar", "Vera",
    "Wim", "Yara",
];

const LAST: [&str; 24] = [
    "Abbott", "Brandt", "Cohen", "Dubois", "Eklund", "Fischer", "García", "Hughes", "Ivanova",
    "Jansen", "Kovács", "Larsen", "Meyer", "Nowak", "Olsen", "Petrov", "Quist", "Rossi", "Silva",
    "Turner", "Unger", "Vargas", "Weiss", "Young",
];

const GROUPS: [&str; 8] = [
    "Saturday market crew",
    "Neighbours of Orchard Lane",
    "Delivery planning",
    "Book club 📚",
    "Five-a-side football",
    "Shop team",
    "Garden project",
    "Parents of class 4b",
];

/// The shops whose phones are connected.
const SHOPS: [&str; 6] = [
    "Demo shop",
    "Riverside café",
    "Northgate repairs",
    "Blue door gallery",
    "Old mill bakery",
    "Harbour bikes",
];

/// The name of contact `n` of account `account`; different accounts know different people.
pub(super) fn contact(account: usize, n: usize) -> String {
    if account == 0 && n < CAST.len() {
        return CAST[n].to_owned();
    }
    let mixed = n + account * 7;
    let first = FIRST[mixed % FIRST.len()];
    let last = LAST[(mixed / FIRST.len() + mixed * 5) % LAST.len()];
    match mixed / (FIRST.len() * LAST.len()) {
        0 => format!("{first} {last}"),
        round => format!("{first} {last} {}", round + 1),
    }
}

pub(super) fn group(n: usize) -> String {
    numbered(&GROUPS, n)
}

pub(super) fn shop(n: usize) -> String {
    numbered(&SHOPS, n)
}

fn numbered(names: &[&str], n: usize) -> String {
    match n / names.len() {
        0 => names[n].to_owned(),
        round => format!("{} {}", names[n % names.len()], round + 1),
    }
}
