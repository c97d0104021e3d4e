//! Figures of a stage in both runs, and when they differ.

use super::{Change, Unit};
use crate::report::{Report, StageInfo};
use crate::rules::schema::compare::NoiseSettings;

/// How figures of one stage are compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    pub(super) unit: Unit,
    noise: NoiseSettings,
    before: Whole,
    after: Whole,
    /// How much steps differ, in per cent, where both runs have several.
    pub(super) spread_pct: Option<f64>,
}

/// The stage that figures are parts of.
#[derive(Clone, Copy, Debug)]
struct Whole {
    time_us: f64,
    steps: u64,
}

impl Measure {
    pub(super) fn of(before: (&Report, &StageInfo), after: (&Report, &StageInfo), noise: NoiseSettings) -> Self {
        let whole = |stage: &StageInfo| Whole { time_us: stage.time_us, steps: stage.steps };
        let stepped = before.1.steps > 0 && after.1.steps > 0;
        let spreads = [before, after].map(|(report, stage)| spread_pct(report, stage));
        Self {
            unit: if stepped { Unit::UsPerStep } else { Unit::SharePct },
            noise,
            before: whole(before.1),
            after: whole(after.1),
            spread_pct: spreads[0].zip(spreads[1]).map(|(a, b)| a.max(b)),
        }
    }

    /// A time of each run.
    pub(super) fn time(&self, before_us: Option<f64>, after_us: Option<f64>) -> Change {
        let of = |whole: Whole, us: f64| match self.unit {
            Unit::UsPerStep => us / whole.steps as f64,
            Unit::SharePct if whole.time_us > 0.0 => 100.0 * us / whole.time_us,
            Unit::SharePct => 0.0,
        };
        self.change(before_us.map(|us| of(self.before, us)), after_us.map(|us| of(self.after, us)))
    }

    /// Numbers of each run, a step where there are steps.
    pub(super) fn count(&self, before: u64, after: u64) -> Change {
        let of = |whole: Whole, n: u64| match self.unit {
            Unit::UsPerStep => n as f64 / whole.steps as f64,
            Unit::SharePct => n as f64,
        };
        Change { verdict: None, ..difference(Some(of(self.before, before)), Some(of(self.after, after))) }
    }

    /// Figures in the unit of the stage.
    pub(super) fn change(&self, before: Option<f64>, after: Option<f64>) -> Change {
        let mut change = difference(before, after);
        change.verdict = match (before, after) {
            (None, None) => None,
            (None, Some(after)) => Some(if self.matters(after, self.after) { "appeared" } else { "same" }),
            (Some(before), None) => Some(if self.matters(before, self.before) { "vanished" } else { "same" }),
            (Some(before), Some(after)) => Some(self.verdict(before, after)),
        };
        change
    }

    fn verdict(&self, before: f64, after: f64) -> &'static str {
        let delta = after - before;
        if ![self.before, self.after].into_iter().any(|whole| self.matters(delta.abs(), whole)) {
            return "same";
        }
        let slower = if delta > 0.0 { "slower" } else { "faster" };
        if self.unit == Unit::SharePct {
            return if delta > 0.0 { "more" } else { "less" };
        }
        let several = self.before.steps > 1 && self.after.steps > 1;
        let bar = if several { self.noise.several_steps_pct } else { self.noise.one_step_pct };
        let bar = bar.max(self.spread_pct.unwrap_or(0.0));
        if delta.abs() >= before * bar / 100.0 { slower } else { "noise" }
    }

    /// Whether an amount is a part of a run's stage that is worth a row.
    fn matters(&self, amount: f64, whole: Whole) -> bool {
        match self.unit {
            Unit::SharePct => amount >= self.noise.share_points,
            Unit::UsPerStep => {
                let step = whole.time_us / whole.steps as f64;
                amount > 0.0 && amount >= step * self.noise.stage_pct / 100.0
            }
        }
    }
}

/// Figures to the nanosecond, as reports have them.
fn difference(before: Option<f64>, after: Option<f64>) -> Change {
    let round = |value: f64| (value * 1000.0).round() / 1000.0;
    let (before, after) = (before.map(round), after.map(round));
    let delta = (before.is_some() || after.is_some()).then(|| round(after.unwrap_or(0.0) - before.unwrap_or(0.0)));
    let delta_pct = delta.zip(before).filter(|(_, before)| *before > 0.0 && after.is_some());
    let delta_pct = delta_pct.map(|(delta, before)| (1e4 * delta / before).round() / 100.0);
    Change { before, after, delta, delta_pct, verdict: None }
}

/// How much the steps of a stage differ in their busy time: the middle half of them, of few all, in per cent of the median.
fn spread_pct(report: &Report, stage: &StageInfo) -> Option<f64> {
    const FEW: usize = 4;
    let mut busy: Vec<f64> =
        report.gpu.steps.iter().filter(|step| step.stage == stage.stage).filter_map(|step| step.busy_us).collect();
    if busy.len() < 2 {
        return None;
    }
    busy.sort_by(f64::total_cmp);
    let last = busy.len() - 1;
    let (low, high) = if busy.len() < FEW { (0, last) } else { (busy.len() / 4, last - busy.len() / 4) };
    let median = busy[last / 2];
    (median > 0.0).then(|| (1e4 * (busy[high] - busy[low]) / median).round() / 100.0)
}
