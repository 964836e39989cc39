use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{FaultRule, Plan, Route, RuleState};
use crate::dice::{Dice, purpose};

/// The rules in force, each with dice of its own: a call decides nothing for the calls of others.
#[derive(Debug)]
pub(crate) struct Rules {
    seed: u64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    made: u64,
    rules: Vec<(RuleState, Dice)>,
}

impl Rules {
    pub(crate) fn new(seed: u64, rules: &[FaultRule]) -> Self {
        let made = Self { seed, inner: Mutex::default() };
        for rule in rules {
            made.add(rule.clone());
        }
        made
    }

    /// Puts a rule into force, and returns its id.
    pub(crate) fn add(&self, rule: FaultRule) -> u64 {
        let mut inner = self.lock();
        inner.made += 1;
        let id = inner.made;
        let dice = Dice::new(self.seed, purpose::FAULTS | id);
        inner.rules.push((RuleState { id, struck: 0, rule }, dice));
        id
    }

    /// Whether there was such a rule.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut inner = self.lock();
        let before = inner.rules.len();
        inner.rules.retain(|(state, _)| state.id != id);
        inner.rules.len() < before
    }

    pub(crate) fn clear(&self) {
        self.lock().rules.clear();
    }

    pub(crate) fn all(&self) -> Vec<RuleState> {
        self.lock().rules.iter().map(|(state, _)| state.clone()).collect()
    }

    /// What goes wrong with a call. Several rules may strike the same one.
    pub(crate) fn plan(&self, route: Route, account: Option<&str>, chat: Option<&str>) -> Plan {
        let mut plan = Plan::default();
        for (state, dice) in &mut self.lock().rules {
            let over = state.rule.times.is_some_and(|times| state.struck >= times);
            if over || !state.rule.is_about(route, account, chat) {
                continue;
            }
            if dice.chance(state.rule.probability) {
                state.struck += 1;
                plan.add(&state.rule.fault, dice);
            }
        }
        plan
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
