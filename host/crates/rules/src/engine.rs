use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage,
    BasicMathPackage, BasicStringPackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{AST, Dynamic, Engine, Scope};
use trellis_model::bilingual;

use crate::call::{self, Call};
use crate::error::{Error, Fault, Result};
use crate::functions::{self, Row};
use crate::input::{AfterSave, BeforeSave, Input};
use crate::{Limits, stack, values};

/// Compiles and runs rules. Built once; shared by all threads.
pub struct RuleEngine {
    engine: Engine,
    /// Compiles only what does not repeat itself; runs nothing.
    straight: Engine,
    limits: Limits,
}

/// A compiled rule. Cloning it is cheap.
#[derive(Clone)]
pub struct Script {
    ast: Arc<AST>,
    digest: [u8; 32],
    /// Whether it needs no more stack than any thread has.
    shallow: bool,
}

impl Script {
    /// The BLAKE3 digest of its source.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RuleEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuleEngine").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// How many operations go by between two looks at the clock.
const OPERATIONS_PER_TICK: u64 = 16;

/// Everything that a rule can and cannot do is decided here.
///
/// Left out of rhai: its core package (`sleep`, `exit`, `parse_json`, tags), its clock, blobs, bit fields, `eval`, `curry`, and by its
/// features `no_module` and `no_closure` modules and captured variables, whose values are under no limit either. Code is optimised only as far as constants of rhai's own types go; functions of ours never run while compiling.
fn configure(engine: &mut Engine, limits: &Limits) {
    base(engine, limits);
    functions::register(engine);
}

/// What rules and formulas have in common: rhai's own words, ours for values, and the limits.
pub(crate) fn base(engine: &mut Engine, limits: &Limits) {
    ArithmeticPackage::new().register_into_engine(engine);
    LogicPackage::new().register_into_engine(engine);
    BasicMathPackage::new().register_into_engine(engine);
    BasicStringPackage::new().register_into_engine(engine);
    MoreStringPackage::new().register_into_engine(engine);
    BasicIteratorPackage::new().register_into_engine(engine);
    BasicFnPackage::new().register_into_engine(engine);
    BasicArrayPackage::new().register_into_engine(engine);
    BasicMapPackage::new().register_into_engine(engine);
    engine
        .disable_symbol("eval")
        // What a pointer to a function carries is under no limit: `f = curry(f, f)` takes gigabytes.
        .disable_symbol("curry")
        .set_strict_variables(true)
        .set_max_operations(limits.operations_max)
        .set_max_call_levels(limits.call_levels_max)
        .set_max_expr_depths(limits.expression_depth_max, limits.expression_depth_max / 2)
        .set_max_string_size(limits.string_bytes_max)
        .set_max_array_size(limits.array_len_max)
        .set_max_map_size(limits.map_len_max)
        .set_max_functions(limits.functions_max)
        .set_max_variables(limits.variables_max)
        .on_progress(|operations| match operations % OPERATIONS_PER_TICK {
            0 => call::overdue().map(Dynamic::from),
            _ => None,
        })
        .on_print(print)
        .on_debug(|line, _, _| print(line));
    engine.register_type_with_name::<Fault>("Error");
    engine.register_fn("to_string", |fault: &mut Fault| fault.text.en.clone());
    values::register(engine);
}

fn print(line: &str) {
    // Nothing runs outside a call but constants while compiling, which print nothing.
    let _ = call::with(|call| {
        call.print(line);
        Ok(())
    });
}

impl RuleEngine {
    /// Builds an engine; takes about half a millisecond.
    pub fn new(limits: Limits) -> Self {
        let (mut engine, mut straight) = (Engine::new_raw(), Engine::new_raw());
        configure(&mut engine, &limits);
        configure(&mut straight, &limits);
        stack::forbid_repetition(&mut straight);
        Self { engine, straight, limits }
    }

    /// The limits that it was built with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Compiles a rule. Takes up to a few hundred milliseconds for a hostile source of the largest size, so it is no work for a thread
    /// that serves requests.
    ///
    /// # Errors
    /// Says what is wrong with the source, with line and column.
    pub fn compile(&self, source: &str) -> Result<Script> {
        if source.len() > self.limits.source_bytes_max {
            let limit = self.limits.source_bytes_max as u64;
            return Err(Error::from_fault(Fault::limit("source_bytes_max", limit)));
        }
        // Not constants, or the compiler would take them for these values.
        let mut scope = Scope::new();
        scope.push("record", Dynamic::UNIT).push("before", Dynamic::UNIT).push("event", Dynamic::UNIT);
        let compile = || {
            let ast = self.engine.compile_with_scope(&scope, source)?;
            let shallow = stack::is_shallow(&self.straight, &scope, source, &ast);
            Ok((ast, shallow))
        };
        let (ast, shallow) = catch_unwind(AssertUnwindSafe(compile))
            .map_err(|_| interpreter_failed())?
            .map_err(|error| Error::from_parser(&error, &self.limits))?;
        Ok(Script { ast: Arc::new(ast), digest: *blake3::hash(source.as_bytes()).as_bytes(), shallow })
    }

    /// Runs a rule before a record is saved. Blocks for up to the limit of time, and for look-ups.
    ///
    /// # Errors
    /// Says what went wrong, with line and column; then nothing of what the rule decided holds.
    pub fn before_save(&self, script: &Script, input: Input) -> Result<BeforeSave> {
        let call = self.run(script, Call::new(self.limits, true, input))?;
        Ok(BeforeSave { changes: call.changes, vetoes: call.vetoes, printed: call.printed })
    }

    /// Runs a rule after a record was saved, or after a transition, which `input.event` tells. Blocks as [`Self::before_save`] does.
    ///
    /// # Errors
    /// As [`Self::before_save`].
    pub fn after_save(&self, script: &Script, input: Input) -> Result<AfterSave> {
        let call = self.run(script, Call::new(self.limits, false, input))?;
        Ok(AfterSave { actions: call.actions, reasons: call.reasons, printed: call.printed })
    }

    fn run(&self, script: &Script, call: Call) -> Result<Call> {
        if script.shallow {
            return self.run_here(script, call);
        }
        std::thread::scope(|scope| {
            let builder =
                std::thread::Builder::new().name("rule".to_owned()).stack_size(stack::bytes(&self.limits));
            let thread = builder
                .spawn_scoped(scope, || self.run_here(script, call))
                .map_err(|error| Error::from_fault(Fault::no_thread(&error)))?;
            thread.join().unwrap_or_else(|_| Err(interpreter_failed()))
        })
    }

    fn run_here(&self, script: &Script, call: Call) -> Result<Call> {
        let mut scope = Scope::new();
        scope.push_constant("record", Row::Record);
        let before = call.before.as_ref().map_or(Dynamic::UNIT, |_| Dynamic::from(Row::Before));
        scope.push_constant_dynamic("before", before);
        let event = call.event.as_ref();
        let event = event.map_or(Dynamic::UNIT, |event| Dynamic::from_map(functions::event(event)));
        scope.push_constant_dynamic("event", event);
        let run = || self.engine.run_ast_with_scope(&mut scope, &script.ast);
        let (mut call, result) = call::enter(call, run);
        let fatal = call.take_fatal();
        match (result, fatal) {
            (None, _) => Err(interpreter_failed()),
            (Some(Err(error)), _) => Err(Error::from_interpreter(*error, &self.limits)),
            (Some(Ok(())), Some(fault)) => Err(Error::from_fault(fault)),
            (Some(Ok(())), None) => Ok(call),
        }
    }
}

/// A panic within the interpreter: a defect of it or of ours, which takes the rule down and nothing else.
pub(crate) fn interpreter_failed() -> Error {
    Error::from_fault(Fault::runtime(bilingual!(
        "the rule made the interpreter fail; please report it",
        "规则导致解释器内部故障，请报告此问题"
    )))
}
