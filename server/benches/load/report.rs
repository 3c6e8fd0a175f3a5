//! The medians of the rounds.

use std::time::Duration;

/// One round of one workload.
pub(crate) struct Round {
    pub(crate) requests: usize,
    pub(crate) took: Duration,
    pub(crate) cpu: Duration,
}

/// The rounds of each workload, in the order of their first.
#[derive(Default)]
pub(crate) struct Report(Vec<(String, Vec<Round>)>);

impl Round {
    fn rate(&self) -> f64 {
        self.requests as f64 / self.took.as_secs_f64()
    }

    /// CPU seconds for 100,000 requests.
    fn cost(&self) -> f64 {
        self.cpu.as_secs_f64() / self.requests as f64 * 100_000.0
    }
}

impl Report {
    pub(crate) fn add(&mut self, name: &str, round: Round) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, rounds)) => rounds.push(round),
            None => self.0.push((name.to_owned(), vec![round])),
        }
    }

    /// Prints a table; ratios are to the first workload.
    pub(crate) fn print(&self) {
        let Some((_, first)) = self.0.first() else {
            return;
        };
        let base = median(first, Round::cost);
        println!(
            "{:<24} {:>10} {:>16} {:>8}",
            "", "requests/s", "CPU s per 100k", "ratio"
        );
        for (name, rounds) in &self.0 {
            let (rate, cost) = (median(rounds, Round::rate), median(rounds, Round::cost));
            println!("{name:<24} {rate:>10.0} {cost:>16.2} {:>8.2}", cost / base);
        }
    }
}

fn median(rounds: &[Round], figure: impl Fn(&Round) -> f64) -> f64 {
    let mut figures: Vec<_> = rounds.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
