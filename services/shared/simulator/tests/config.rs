//! Configuration: strict, checked, and without secrets when written out.

use channel_simulator::{Faults, Mix, SimulatorConfig};

#[test]
fn the_defaults_and_the_presets_make_sense() {
    SimulatorConfig::default().validate().unwrap();
    SimulatorConfig::load(1, 10).validate().unwrap();
    let rough = SimulatorConfig { faults: Faults::rough(), ..SimulatorConfig::default() };
    rough.validate().unwrap();
}

/// The defaults with one thing made wrong.
fn broken(spoil: impl FnOnce(&mut SimulatorConfig)) -> SimulatorConfig {
    let mut config = SimulatorConfig::default();
    spoil(&mut config);
    config
}

#[test]
fn what_makes_no_sense_is_named() {
    let cases = [
        ("accounts", broken(|c| c.accounts = 0)),
        ("contacts", broken(|c| c.contacts = 0)),
        ("rate_per_second", broken(|c| c.rate_per_second = 0.0)),
        ("rate_per_second", broken(|c| c.rate_per_second = f64::NAN)),
        ("mix", broken(|c| c.mix = Mix::none())),
        ("messages_kept_per_chat", broken(|c| c.messages_kept_per_chat = Some(0))),
        ("faults.drop", broken(|c| c.faults.drop = 1.5)),
        ("faults.poison_kinds", broken(no_poison)),
        ("delivery.concurrency", broken(|c| c.delivery.concurrency = 0)),
        ("delivery.outstanding", broken(|c| c.delivery.outstanding = 1)),
        ("delivery.timeout_ms", broken(|c| c.delivery.timeout_ms = 0)),
        ("delivery.retry_delay_scale", broken(|c| c.delivery.retry_delay_scale = -1.0)),
    ];
    for (field, config) in cases {
        assert_eq!(config.validate().unwrap_err().field, field);
    }
}

fn no_poison(config: &mut SimulatorConfig) {
    config.faults.poison = 0.5;
    config.faults.poison_kinds.clear();
}

#[test]
fn an_address_that_is_none_is_refused_before_anything_is_sent() {
    let mut config = SimulatorConfig::default();
    config.delivery.target_url = "not an address".to_owned();
    let error = channel_simulator::Simulator::new(config).unwrap_err();
    assert_eq!(error.to_string(), "delivery.target_url must be an http or https address");
}

#[test]
fn a_file_may_name_a_few_fields_and_no_unknown_ones() {
    let text = "rate_per_second = 5.0\nstart = \"2026-03-01T00:00:00Z\"\n[mix]\ntext = 1\n[faults]\nduplicate = 0.5\npoison_kinds = [\"broken_json\"]\n[delivery]\nsecret_value = \"hush\"\n";
    let config: SimulatorConfig = toml::from_str(text).unwrap();
    config.validate().unwrap();
    assert_eq!(config.seed, SimulatorConfig::default().seed);
    assert_eq!(config.faults.poison_kinds.len(), 1);
    assert!(toml::from_str::<SimulatorConfig>("rate = 5.0").is_err());
}

#[test]
fn the_secret_is_neither_written_out_nor_shown() {
    let mut config = SimulatorConfig::default();
    config.delivery.secret_value = Some("hush".to_owned().into());
    assert!(!serde_json::to_string(&config).unwrap().contains("hush"));
    assert!(!format!("{config:?}").contains("hush"));
}
