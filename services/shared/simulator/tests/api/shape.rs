//! Comparing an answer with the fixture of its kind: the same keys, with values of the same types.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub(crate) fn fixture(name: &str) -> Value {
    let path = format!("{}/../unipile/tests/fixtures/rest/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// What is known of one place in a body: what stood there, and the keys that objects there had, in
/// all of them or only in some.
#[derive(Debug, Default)]
struct Seen {
    types: BTreeSet<&'static str>,
    objects: u32,
    keys: BTreeMap<String, u32>,
}

/// Everything that stands in some bodies, by path; the items of a list share one.
#[derive(Debug, Default)]
pub(crate) struct Shape(BTreeMap<String, Seen>);

impl Shape {
    pub(crate) fn of<'a>(bodies: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut shape = Self::default();
        bodies.into_iter().for_each(|body| shape.add("", body));
        shape
    }

    fn add(&mut self, path: &str, value: &Value) {
        let seen = self.0.entry(path.to_owned()).or_default();
        seen.types.insert(kind(value));
        match value {
            Value::Object(fields) => {
                seen.objects += 1;
                fields.keys().for_each(|key| *seen.keys.entry(key.clone()).or_default() += 1);
                for (key, value) in fields {
                    // The readers of a message are keys themselves.
                    let key = if path.ends_with(".seen_by") { "*" } else { key };
                    self.add(&format!("{path}.{key}"), value);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.add(&format!("{path}[]"), item);
                }
            }
            _ => {}
        }
    }

    /// Asserts that an answer has every key that the fixtures have everywhere, no key that they have
    /// nowhere, and no type that they do not have in its place. `also` are paths with types that the
    /// reference documents and the fixtures do not show, and paths with `?` that may be missing.
    pub(crate) fn fits(&self, answer: &Value, also: &[&str]) {
        let answer = Self::of([answer]);
        for (path, ours) in &answer.0 {
            let Some(theirs) = self.0.get(path) else {
                assert!(documented(also, path, ours), "{path} is not in the fixtures: {ours:?}");
                continue;
            };
            let new: BTreeSet<_> = ours.types.difference(&theirs.types).copied().collect();
            let fine = |kind: &&str| also.contains(&&*format!("{path}: {kind}"));
            assert!(new.iter().all(fine), "{path} is {new:?}, the fixtures say {:?}", theirs.types);
            if path.ends_with(".seen_by") {
                continue;
            }
            let always = theirs.keys.iter().filter(|(_, times)| **times == theirs.objects);
            for (key, _) in always {
                let has = ours.keys.get(key) == Some(&ours.objects);
                let may = also.contains(&&*format!("{path}.{key}?"));
                assert!(has || may || ours.objects == 0, "{path}.{key} is missing");
            }
        }
    }
}

fn documented(also: &[&str], path: &str, ours: &Seen) -> bool {
    ours.types.iter().all(|kind| also.contains(&&*format!("{path}: {kind}")))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Asserts that an answer is like a fixture.
pub(crate) fn assert_like(answer: &Value, name: &str) {
    let fixture = fixture(name);
    // An error says in detail what is wrong, or does not.
    Shape::of([&fixture]).fits(answer, &[".detail?", ".instance?"]);
    if let Some(object) = fixture.get("object") {
        assert_eq!(answer["object"], *object, "{name}");
    }
}
