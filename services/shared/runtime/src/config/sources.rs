//! Where values come from, and the loading of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use figment::providers::{Format, Toml};
use figment::value::Dict;
use figment::{Figment, Profile, Provider};
use serde::de::{Deserialize, DeserializeOwned, Deserializer};

use super::error::{ConfigError, Problem, explain};
use super::layer::{Layer, insert, read_twins};

/// What every variable of ours begins with.
pub const PREFIX: &str = "CHANNEL_";

/// The layers of a configuration, lowest first: defaults, file, environment, flags.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    defaults: String,
    file: Option<PathBuf>,
    variables: Vec<(String, String)>,
    aliases: BTreeMap<String, String>,
    ignored: Vec<String>,
    flags: Vec<(String, String)>,
}

impl Sources {
    /// Starts from a TOML text that holds every key.
    #[must_use]
    pub fn new(defaults: impl Into<String>) -> Self {
        Self { defaults: defaults.into(), ..Self::default() }
    }

    /// Adds a TOML file, which must exist.
    #[must_use]
    pub fn file(mut self, path: Option<&Path>) -> Self {
        self.file = path.map(Path::to_owned);
        self
    }

    /// Adds the process's environment.
    #[must_use]
    pub fn process_environment(self) -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        self.environment(std::env::vars_os().map(|(name, value)| (text(name), text(value))))
    }

    /// Adds variables; those without [`PREFIX`] and without an alias are left alone.
    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// Lets a variable without the prefix stand for a key, such as `UNIPILE_DSN`. The prefixed
    /// spelling wins when both are set.
    #[must_use]
    pub fn alias(mut self, variable: &str, key: &str) -> Self {
        self.aliases.insert(variable.to_owned(), key.to_owned());
        self
    }

    /// Leaves a prefixed variable alone that is not a key, such as the one naming the file.
    #[must_use]
    pub fn ignore(mut self, variable: &str) -> Self {
        self.ignored.push(variable.to_owned());
        self
    }

    /// Sets a key from the command line.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<String>) -> Self {
        self.flags.push((key.to_owned(), value.into()));
        self
    }

    /// Reads all layers into one value.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, a key is unknown (all of them are named), or a value does not
    /// fit.
    pub fn load<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let defaults = parse(&Toml::string(&self.defaults), "defaults")?;
        let mut figment = Figment::from(defaults_layer(&defaults));
        for mut layer in self.layers(&defaults)? {
            read_twins(&mut layer.values, &defaults)?;
            figment = figment.merge(layer);
        }
        let strict: Strict<T> = figment.extract().map_err(|error| self.refuse(&figment, error))?;
        if strict.unknown.is_empty() {
            return Ok(strict.value);
        }
        let unknown = strict.unknown.into_iter();
        Err(ConfigError::Refused(
            unknown.map(|key| self.problem(&figment, key, "unknown key".to_owned())).collect(),
        ))
    }

    fn layers(&self, defaults: &Dict) -> Result<Vec<Layer>, ConfigError> {
        let mut layers = Vec::new();
        if let Some(path) = &self.file {
            layers.push(file_layer(path)?);
        }
        let pairs = |pairs: &[(String, String)]| {
            let mut values = Dict::new();
            for (path, raw) in pairs {
                insert(&mut values, Some(defaults), path, raw);
            }
            values
        };
        let variables: Vec<_> = self.keys_of_variables().map(|(_, key, raw)| (key, raw)).collect();
        layers.push(Layer { origin: "environment".to_owned(), values: pairs(&variables) });
        layers.push(Layer { origin: "command line".to_owned(), values: pairs(&self.flags) });
        Ok(layers)
    }

    /// (variable, key, value), aliases first so that the prefixed spelling wins.
    fn keys_of_variables(&self) -> impl Iterator<Item = (&str, String, String)> {
        let aliased = self.variables.iter().filter_map(|(name, value)| {
            let key = self.aliases.get(name)?;
            Some((name.as_str(), key.clone(), value.clone()))
        });
        let prefixed = self.variables.iter().filter_map(|(name, value)| {
            let rest = name.strip_prefix(PREFIX)?;
            let ours = !self.ignored.contains(name) && !self.aliases.contains_key(name);
            ours.then(|| {
                (name.as_str(), rest.to_ascii_lowercase().replace("__", "."), value.clone())
            })
        });
        aliased.chain(prefixed)
    }

    fn refuse(&self, figment: &Figment, errors: figment::Error) -> ConfigError {
        let problems = errors.into_iter().map(|error| {
            let (name, reason) = explain(&error.kind);
            let mut path = error.path;
            // The loader names the field in the kind, and sometimes in the path too.
            if let Some(name) = name.filter(|name| path.last() != Some(name)) {
                path.push(name);
            }
            self.problem(figment, path.join("."), reason)
        });
        ConfigError::Refused(problems.collect())
    }

    fn problem(&self, figment: &Figment, key: String, reason: String) -> Problem {
        let origin = self.origin(figment, &key);
        Problem { key, reason, origin }
    }

    fn origin(&self, figment: &Figment, key: &str) -> String {
        let is_it = |path: &str| path == key || path.strip_suffix("_file") == Some(key);
        if self.flags.iter().any(|(path, _)| is_it(path)) {
            return "command line".to_owned();
        }
        let variable = self.keys_of_variables().filter(|(_, path, _)| is_it(path)).last();
        if let Some((name, _, _)) = variable {
            return format!("environment variable {name}");
        }
        let metadata = figment.find_metadata(key);
        metadata.map(|metadata| metadata.name.to_string()).unwrap_or_default()
    }
}

fn parse(toml: &impl Provider, origin: &str) -> Result<Dict, ConfigError> {
    let broken = |error: figment::Error| {
        let problem = |error: figment::Error| Problem {
            key: String::new(),
            reason: format!("not TOML: {}", position_only(&error.kind.to_string())),
            origin: origin.to_owned(),
        };
        ConfigError::Refused(error.into_iter().map(problem).collect())
    };
    Ok(toml.data().map_err(broken)?.remove(&Profile::Default).unwrap_or_default())
}

/// A TOML error quotes the line, which may hold a secret; where it is says enough.
fn position_only(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

fn defaults_layer(values: &Dict) -> Layer {
    Layer { origin: "defaults".to_owned(), values: values.clone() }
}

fn file_layer(path: &Path) -> Result<Layer, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    let origin = path.display().to_string();
    Ok(Layer { values: parse(&Toml::string(&text), &origin)?, origin })
}

/// A value together with the keys that nothing read.
struct Strict<T> {
    value: T,
    unknown: Vec<String>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Strict<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut unknown = Vec::new();
        let note = |path: serde_ignored::Path<'_>| unknown.push(dotted(&path));
        let value = serde_ignored::deserialize(deserializer, note)?;
        Ok(Self { value, unknown })
    }
}

fn dotted(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    let below = |parent: &Path<'_>, name: &str| match dotted(parent) {
        above if above.is_empty() => name.to_owned(),
        above => format!("{above}.{name}"),
    };
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => below(parent, &index.to_string()),
        Path::Map { parent, key } => below(parent, key),
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => dotted(parent),
    }
}
