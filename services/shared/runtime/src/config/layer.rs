//! One layer of values, shaped by the defaults: a default's type decides how text is read.

use std::path::PathBuf;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::ConfigError;

const TWIN: &str = "_file";

/// Values from one place.
pub(super) struct Layer {
    pub(super) origin: String,
    pub(super) values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// Puts `raw` at a dotted path, making sections on the way.
pub(super) fn insert(into: &mut Dict, defaults: Option<&Dict>, path: &str, raw: &str) {
    let Some((section, rest)) = path.split_once('.') else {
        let default = defaults.and_then(|defaults| defaults.get(path));
        into.insert(path.to_owned(), read(raw, default));
        return;
    };
    let inner = defaults.and_then(|defaults| defaults.get(section)).and_then(Value::as_dict);
    let slot = into.entry(section.to_owned()).or_insert_with(|| Value::from(Dict::new()));
    if !matches!(slot, Value::Dict(..)) {
        *slot = Value::from(Dict::new());
    }
    if let Value::Dict(_, values) = slot {
        insert(values, inner, rest, raw);
    }
}

/// A secret such as `0123` must stay text, so the default's type is asked first.
fn read(raw: &str, default: Option<&Value>) -> Value {
    match default {
        Some(Value::String(..)) => Value::from(raw),
        Some(Value::Array(..)) if !raw.trim_start().starts_with('[') => {
            let items = raw.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::from(items.collect::<Vec<_>>())
        }
        _ => match raw.parse() {
            Ok(value) => value,
            Err(_) => Value::from(raw),
        },
    }
}

/// Replaces each `x_file` whose `x` is a text default by the contents of the file it names.
pub(super) fn read_twins(values: &mut Dict, defaults: &Dict) -> Result<(), ConfigError> {
    for (key, value) in values.iter_mut() {
        if let (Value::Dict(_, inner), Some(Value::Dict(_, defaults))) = (value, defaults.get(key))
        {
            read_twins(inner, defaults)?;
        }
    }
    let twins: Vec<String> = values.keys().filter(|key| is_twin(key, defaults)).cloned().collect();
    for twin in twins {
        // An empty path names no file, so the layers below decide.
        if let Some(Value::String(_, path)) = values.remove(&twin).filter(|path| !is_blank(path)) {
            let value = contents(PathBuf::from(path))?;
            values.insert(twin.trim_end_matches(TWIN).to_owned(), value);
        }
    }
    Ok(())
}

fn is_twin(key: &str, defaults: &Dict) -> bool {
    let owner = key.strip_suffix(TWIN).and_then(|owner| defaults.get(owner));
    matches!(owner, Some(Value::String(..))) && !defaults.contains_key(key)
}

fn is_blank(value: &Value) -> bool {
    value.as_str().is_some_and(str::is_empty)
}

fn contents(path: PathBuf) -> Result<Value, ConfigError> {
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Value::from(text.trim_end_matches(['\r', '\n']))),
        Err(source) => Err(ConfigError::Unreadable { path, source }),
    }
}
