//! The state of the one rule that runs on this thread.
//!
//! rhai hands its native functions the script's values and nothing of the host's, and an engine with its hundreds of functions is too
//! dear to be built for each call. So the state of a call is with its thread for as long as the call lasts.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use jiff::tz::TimeZone;
use rhai::EvalAltResult;
use trellis_model::{
    Action, FieldDefinition, FieldName, Lookups, NamedRecord, ObjectDefinition, Reason, RecordId,
    SystemField, Value, bilingual,
};

use crate::Limits;
use crate::error::Fault;
use crate::input::{Input, RuleVeto, Transition};
use crate::values::{DateValue, TimeValue};

/// Characters of a message, reason or printed line.
pub(crate) const MESSAGE_CHARACTERS_MAX: usize = 1_000;

/// What a running rule sees, and what it has decided so far.
pub(crate) struct Call {
    pub(crate) limits: Limits,
    /// Whether the rule runs before saving, and so may change the record and refuse it.
    pub(crate) before_save: bool,
    pub(crate) object: Arc<ObjectDefinition>,
    pub(crate) record: NamedRecord,
    pub(crate) before: Option<NamedRecord>,
    pub(crate) event: Option<Transition>,
    hidden: BTreeSet<FieldName>,
    pub(crate) now_ms: i64,
    pub(crate) time_zone: TimeZone,
    pub(crate) user: Option<RecordId>,
    lookups: Arc<dyn Lookups>,
    lookups_made: u32,
    budget: Budget,
    pub(crate) changes: BTreeMap<FieldName, Option<Value>>,
    pub(crate) vetoes: Vec<RuleVeto>,
    pub(crate) actions: Vec<Action>,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) printed: Vec<String>,
    /// The first fault that the rule may not go on after; stands even if the rule swallowed it.
    fatal: Option<Fault>,
}

/// How long a call may still compute. The processor's time counts and not the clock on the wall: that others keep the machine busy is not
/// the rule's fault.
struct Budget {
    max: Duration,
    /// Time of this thread when the call began, later by what look-ups took since.
    started: Duration,
    /// The thread's time is a call into the kernel, so it is asked no sooner than it can be over.
    look_at: Instant,
}

impl Budget {
    fn new(max: Duration) -> Self {
        Self { max, started: Duration::ZERO, look_at: Instant::now() }
    }

    /// Counts from now, on this thread.
    fn start(&mut self) {
        self.started = thread_time();
        self.look_at = Instant::now() + self.max;
    }

    fn is_over(&mut self) -> bool {
        let now = Instant::now();
        if now < self.look_at {
            return false;
        }
        let used = thread_time().saturating_sub(self.started);
        self.look_at = now + self.max.saturating_sub(used);
        used >= self.max
    }
}

/// What the processor has done for this thread.
fn thread_time() -> Duration {
    ThreadTime::now().as_duration()
}

impl Call {
    pub(crate) fn new(limits: Limits, before_save: bool, input: Input) -> Self {
        Self {
            limits,
            before_save,
            object: input.object,
            record: input.record,
            before: input.before,
            event: input.event,
            hidden: input.hidden,
            now_ms: input.now_ms,
            time_zone: input.time_zone,
            user: input.user,
            lookups: input.lookups,
            lookups_made: 0,
            budget: Budget::new(Duration::from_millis(limits.time_ms_max)),
            changes: BTreeMap::new(),
            vetoes: Vec::new(),
            actions: Vec::new(),
            reasons: Vec::new(),
            printed: Vec::new(),
            fatal: None,
        }
    }

    pub(crate) fn take_fatal(&mut self) -> Option<Fault> {
        self.fatal.take()
    }

    pub(crate) fn today(&self) -> Result<DateValue, Fault> {
        let now = TimeValue::of_ms(self.now_ms)?.0;
        Ok(DateValue(now.to_zoned(self.time_zone.clone()).date()))
    }

    /// The definition of a field that the rule may use; `None` for a system field that records carry along.
    pub(crate) fn field(&self, name: &str) -> Result<Option<&FieldDefinition>, Fault> {
        if self.hidden.contains(name) {
            return Err(Fault::runtime(bilingual!(
                "`{name}` is personal data: the rule must be granted to read personal data",
                "`{name}` 是个人信息：规则须先获准读取个人信息"
            )));
        }
        let field = self.object.field(name);
        if field.is_some()
            || matches!(SystemField::of(name), Some(SystemField::CreatedAt | SystemField::UpdatedAt))
        {
            return Ok(field);
        }
        let object = &self.object.name;
        Err(Fault::runtime(bilingual!(
            "`{object}` has no field `{name}`",
            "对象 `{object}` 没有字段 `{name}`"
        )))
    }

    /// The value of a field of the record as it stands now, changes of the rule included.
    pub(crate) fn proposed(&self, name: &str) -> Option<&Value> {
        match self.changes.get(name) {
            Some(changed) => changed.as_ref(),
            None => self.record.fields.get(name),
        }
    }

    /// Keeps a line; the last one that is kept says that there were more.
    pub(crate) fn print(&mut self, line: &str) {
        match self.printed.len().cmp(&self.limits.print_lines_max) {
            std::cmp::Ordering::Less => {
                self.printed.push(line.chars().take(MESSAGE_CHARACTERS_MAX).collect());
            }
            _ => {
                if let Some(last) = self.printed.last_mut() {
                    *last = "…".to_owned();
                }
            }
        }
    }
}

/// Refuses one more of what a call may return.
pub(crate) fn ensure_room(len: usize, max: usize, limit: &'static str) -> Result<(), Fault> {
    if len < max { Ok(()) } else { Err(Fault::limit(limit, max as u64)) }
}

thread_local! {
    static CURRENT: RefCell<Option<Call>> = const { RefCell::new(None) };
}

/// Runs something with the state of the running rule.
pub(crate) fn with<T>(use_call: impl FnOnce(&mut Call) -> Result<T, Fault>) -> Result<T, Box<EvalAltResult>> {
    let result = CURRENT.with_borrow_mut(|current| match current {
        Some(call) => use_call(call).inspect_err(|fault| {
            if fault.is_fatal() && call.fatal.is_none() {
                call.fatal = Some(fault.clone());
            }
        }),
        // Only constant expressions are evaluated outside a call, while compiling.
        None => Err(Fault::runtime(bilingual!("no rule is running", "没有正在运行的规则"))),
    });
    Ok(result?)
}

/// Asks the host something. The state is not borrowed meanwhile, and the time does not count.
pub(crate) fn look_up<T>(
    ask: impl FnOnce(&dyn Lookups) -> Result<T, trellis_model::LookupError>,
) -> Result<T, Box<EvalAltResult>> {
    let lookups = with(|call| {
        let limit = call.limits.lookups_max;
        ensure_room(call.lookups_made as usize, limit as usize, "lookups_max")?;
        call.lookups_made += 1;
        Ok(Arc::clone(&call.lookups))
    })?;
    let started = thread_time();
    let answer = ask(&*lookups);
    with(|call| {
        call.budget.started += thread_time().saturating_sub(started);
        answer.map_err(|error| Fault::lookup(error, &call.limits))
    })
}

/// Whether the running rule has used up its time.
pub(crate) fn overdue() -> Option<Fault> {
    CURRENT.with_borrow_mut(|current| {
        let call = current.as_mut()?;
        if !call.budget.is_over() {
            return None;
        }
        let fault = Fault::limit("time_ms_max", call.limits.time_ms_max);
        call.fatal.get_or_insert_with(|| fault.clone());
        Some(fault)
    })
}

/// Runs a script with `call` as this thread's state. Returns the state, and `None` where the interpreter panicked.
pub(crate) fn enter<T>(mut call: Call, run: impl FnOnce() -> T) -> (Call, Option<T>) {
    call.budget.start();
    let outer = CURRENT.replace(Some(call));
    let result = catch_unwind(AssertUnwindSafe(run)).ok();
    let call = CURRENT.replace(outer).expect("nothing takes the state of a call but this function");
    (call, result)
}
