//! The settings of SES: reading them, planning and applying.

mod access;
mod applied;
mod planned;
mod proofs;
mod pulled;
mod results;
mod sections;

pub(crate) use self::access::{SesAccess, SesArgs};
pub(crate) use self::planned::{SesPlan, problems_text, show_progress};
pub(crate) use self::proofs::ProofArgs;
pub(crate) use self::pulled::pulled_text;
pub(crate) use self::results::results_text;
