//! Jobs in, their results in the same order out: some at once, none beside others whose memory would be too much.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::args::Input;

/// What may run at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// So many jobs.
    pub(super) jobs: usize,
    /// Bytes that all of them may take by their estimates; a job that takes more runs alone.
    pub(super) memory: u64,
}

impl Bounds {
    /// As `--threads` and `--max-memory` say.
    pub(super) fn of(input: &Input) -> Self {
        let threads = input.threads.or_else(|| thread::available_parallelism().ok().map(usize::from));
        Self { jobs: threads.unwrap_or(1), memory: input.max_memory }
    }
}

struct State<R> {
    /// The job that begins next: none overtakes another.
    next: usize,
    running: usize,
    used: u64,
    failed: bool,
    results: Vec<Option<R>>,
}

/// Runs `work` on each job. After a failure no other begins; those before it have begun, so that the first failure in
/// the order of the jobs is the same in every run.
pub(super) fn side_by_side<J: Sync, T: Send, E: Send>(
    jobs: &[J],
    bounds: Bounds,
    memory: impl Fn(&J) -> u64 + Sync,
    work: impl Fn(&J) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let results = jobs.iter().map(|_| None).collect();
    let state = Mutex::new(State { next: 0, running: 0, used: 0, failed: false, results });
    let changed = Condvar::new();
    let worker = || {
        let mut now = lock(&state);
        while let Some(job) = jobs.get(now.next).filter(|_| !now.failed) {
            let bytes = memory(job);
            if now.running > 0 && now.used.saturating_add(bytes) > bounds.memory {
                now = changed.wait(now).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let at = now.next;
            now.next += 1;
            now.running += 1;
            now.used += bytes;
            drop(now);
            let result = catch_unwind(AssertUnwindSafe(|| work(job)));
            now = lock(&state);
            now.running -= 1;
            now.used -= bytes;
            now.failed |= !matches!(result, Ok(Ok(_)));
            changed.notify_all();
            match result {
                Ok(result) => now.results[at] = Some(result),
                // Others that wait for memory must not wait for ever.
                Err(panic) => {
                    drop(now);
                    resume_unwind(panic);
                }
            }
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..bounds.jobs.clamp(1, jobs.len().max(1))).map(|_| scope.spawn(worker)).collect();
        for thread in threads {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    state.into_inner().unwrap_or_else(PoisonError::into_inner).results.into_iter().flatten().collect()
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::*;

    /// Runs jobs that take so much memory; the most that they took at once.
    fn most(jobs: &[u64], bounds: Bounds) -> u64 {
        let (used, most) = (AtomicU64::new(0), AtomicU64::new(0));
        let done: Result<Vec<u64>, ()> = side_by_side(
            jobs,
            bounds,
            |job| *job,
            |job| {
                most.fetch_max(used.fetch_add(*job, Ordering::SeqCst) + job, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(5));
                used.fetch_sub(*job, Ordering::SeqCst);
                Ok(*job)
            },
        );
        assert_eq!(done.as_deref(), Ok(jobs), "results are in the order of the jobs");
        most.into_inner()
    }

    #[test]
    fn what_does_not_fit_waits_and_what_never_fits_runs_alone() {
        let jobs = [3, 3, 3, 9, 1, 2, 3, 1];
        assert!(most(&jobs, Bounds { jobs: 4, memory: 6 }) <= 9);
        assert!(most(&[3; 12], Bounds { jobs: 8, memory: 7 }) <= 6);
        assert_eq!(most(&jobs, Bounds { jobs: 1, memory: 100 }), 9, "one at a time");
    }

    #[test]
    fn the_first_failure_is_the_same_in_every_run() {
        let jobs: Vec<u64> = (0..40).collect();
        for _ in 0..20 {
            let done = side_by_side(
                &jobs,
                Bounds { jobs: 8, memory: 100 },
                |_| 1,
                |job| {
                    if *job >= 7 { Err(*job) } else { Ok(()) }
                },
            );
            assert_eq!(done, Err(7));
        }
    }
}
