//! What goes wrong with calls of the API, on demand.
//!
//! Not to be confused with `faults`, which are about webhooks on their way.

mod body;
mod plan;
mod route;
mod rule;
mod rules;

pub(crate) use body::BodyPlan;
pub(crate) use plan::{Echo, Ending, Plan, Refusal};
pub use route::Route;
pub use rule::{ApiFault, FaultRule, RuleState};
pub(crate) use rules::Rules;
