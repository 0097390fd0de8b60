use rhai::{EvalAltResult, ParseError, ParseErrorType, Position};
use trellis_model::{LookupError, Text, bilingual};

use crate::Limits;

/// What is wrong with a rule, and where in its source.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", self.text().en)]
pub struct Error {
    /// The line in the source, from 1.
    pub line: Option<u32>,
    /// The character within the line, from 1.
    pub column: Option<u32>,
    /// What is wrong, in both languages; what the interpreter says about syntax is English in both.
    pub message: Text,
    /// What sort of error it is.
    pub kind: ErrorKind,
}

/// The sorts of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The source is no rule.
    Syntax,
    /// The rule did something that it cannot do, or threw.
    Runtime,
    /// The rule wanted more than it may have.
    Limit {
        /// The limit's key, as in [`Limits`].
        name: &'static str,
        /// Its value.
        limit: u64,
    },
    /// The rule gave a value that its place does not take.
    Value,
    /// The rule used a function or operator for what it does not take.
    Operand,
    /// A look-up or a thread could not be had now, so the rule could not decide; trying again may help.
    Unavailable,
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The message with the place before it, in both languages.
    pub fn text(&self) -> Text {
        let place = match (self.line, self.column) {
            (Some(line), Some(column)) => {
                bilingual!("line {line}, column {column}: ", "第 {line} 行第 {column} 列：")
            }
            (Some(line), None) => bilingual!("line {line}: ", "第 {line} 行："),
            _ => Text::default(),
        };
        place.then(&self.message)
    }

    /// What is wrong with a source at a place, line and column.
    pub(crate) fn of_source((line, column): (u32, u32), message: Text) -> Self {
        Self { line: Some(line), column: Some(column), message, kind: ErrorKind::Syntax }
    }

    /// Whether other values might have done.
    pub(crate) fn is_about_values(&self) -> bool {
        matches!(self.kind, ErrorKind::Runtime | ErrorKind::Value | ErrorKind::Operand)
    }

    fn at(position: Position, Fault { kind, text }: Fault) -> Self {
        let number = |place: Option<usize>| place.and_then(|place| u32::try_from(place).ok());
        Self { line: number(position.line()), column: number(position.position()), message: text, kind }
    }

    pub(crate) fn from_fault(fault: Fault) -> Self {
        Self::at(Position::NONE, fault)
    }

    pub(crate) fn from_parser(ParseError(reason, position): &ParseError, limits: &Limits) -> Self {
        Self::at(*position, parser_fault(reason, limits))
    }

    /// Takes the innermost error, which says what is wrong, and the innermost position that is known.
    pub(crate) fn from_interpreter(mut error: EvalAltResult, limits: &Limits) -> Self {
        let mut position = error.take_position();
        while let EvalAltResult::ErrorInFunctionCall(_, _, inner, _)
        | EvalAltResult::ErrorInModule(_, inner, _) = error
        {
            error = *inner;
            let inner_position = error.take_position();
            position = if inner_position.is_none() { position } else { inner_position };
        }
        Self::at(position, interpreter_fault(error, limits))
    }
}

/// What a function of ours raises within a script; the interpreter adds the place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    pub(crate) text: Text,
}

impl Fault {
    pub(crate) fn runtime(text: Text) -> Self {
        Self { kind: ErrorKind::Runtime, text }
    }

    pub(crate) fn value(text: Text) -> Self {
        Self { kind: ErrorKind::Value, text }
    }

    pub(crate) fn limit(name: &'static str, limit: u64) -> Self {
        let what = limit_noun(name);
        let (en, zh_cn) = (what.en, what.zh_cn);
        let text = bilingual!(
            "the rule uses more than {limit} {en} (`{name}`)",
            "规则超出上限：{zh_cn}最多 {limit}（`{name}`）"
        );
        Self { kind: ErrorKind::Limit { name, limit }, text }
    }

    /// The system gave no thread for a rule that needs one of its own.
    pub(crate) fn no_thread(error: &std::io::Error) -> Self {
        let text = bilingual!("the rule could not be started: {error}", "规则无法启动：{error}");
        Self { kind: ErrorKind::Unavailable, text }
    }

    pub(crate) fn lookup(error: LookupError, limits: &Limits) -> Self {
        match error {
            LookupError::TooMany(_) => Self::limit("lookups_max", u64::from(limits.lookups_max)),
            LookupError::Denied(what) => Self::runtime(bilingual!(
                "the rule was not granted to look up {what}",
                "规则未获准查询 {what}"
            )),
            LookupError::Invalid(why) => {
                Self::runtime(bilingual!("the look-up cannot be made: {why}", "无法执行查询：{why}"))
            }
            LookupError::Failed(why) => Self {
                kind: ErrorKind::Unavailable,
                text: bilingual!("the look-up could not be answered: {why}", "查询暂时无法完成：{why}"),
            },
        }
    }

    /// Whether the rule must not go on, even if it catches errors.
    pub(crate) fn is_fatal(&self) -> bool {
        matches!(self.kind, ErrorKind::Limit { .. } | ErrorKind::Unavailable)
    }
}

impl From<Fault> for Box<EvalAltResult> {
    fn from(fault: Fault) -> Self {
        let (fatal, token) = (fault.is_fatal(), rhai::Dynamic::from(fault));
        // A script can catch a runtime error but not a termination.
        Box::new(match fatal {
            true => EvalAltResult::ErrorTerminated(token, Position::NONE),
            false => EvalAltResult::ErrorRuntime(token, Position::NONE),
        })
    }
}

fn limit_noun(name: &str) -> trellis_model::Phrase {
    let (en, zh_cn) = match name {
        "operations_max" => ("operations", "操作步数"),
        "call_levels_max" => ("levels of calls", "函数调用层数"),
        "expression_depth_max" => ("levels of nested expressions", "表达式嵌套层数"),
        "string_bytes_max" => ("bytes of text in a value", "单个值的文本字节数"),
        "array_len_max" => ("items in an array", "数组元素数"),
        "map_len_max" => ("entries in a map", "映射条目数"),
        "source_bytes_max" => ("bytes of source", "源代码字节数"),
        "formula_bytes_max" => ("bytes of a formula", "公式的字节数"),
        "functions_max" => ("functions", "函数数量"),
        "variables_max" => ("variables", "变量数量"),
        "time_ms_max" => ("milliseconds", "运行毫秒数"),
        "actions_max" => ("actions or reasons", "动作或理由数量"),
        "vetoes_max" => ("vetoes", "否决数量"),
        "lookups_max" => ("look-ups", "查询次数"),
        _ => ("units", "用量"),
    };
    trellis_model::Phrase::new(en, zh_cn)
}

fn parser_fault(reason: &ParseErrorType, limits: &Limits) -> Fault {
    let text = match reason {
        ParseErrorType::ExprTooDeep => {
            return Fault::limit("expression_depth_max", limits.expression_depth_max as u64);
        }
        ParseErrorType::TooManyFunctions => {
            return Fault::limit("functions_max", limits.functions_max as u64);
        }
        ParseErrorType::LiteralTooLarge(what, _) => return too_large(what, limits),
        ParseErrorType::VariableUndefined(name) => unknown_variable(name),
        ParseErrorType::AssignmentToConstant(name) => constant(name),
        other => bilingual!("syntax error: {other}", "语法错误：{other}"),
    };
    Fault { kind: ErrorKind::Syntax, text }
}

fn interpreter_fault(error: EvalAltResult, limits: &Limits) -> Fault {
    use EvalAltResult as E;
    let text = match error {
        E::ErrorRuntime(token, _) | E::ErrorTerminated(token, _) => match token.try_cast_result::<Fault>() {
            Ok(fault) => return fault,
            Err(thrown) => bilingual!("the rule stopped itself: {thrown}", "规则自行中止：{thrown}"),
        },
        E::ErrorTooManyOperations(_) => return Fault::limit("operations_max", limits.operations_max),
        E::ErrorTooManyVariables(_) => return Fault::limit("variables_max", limits.variables_max as u64),
        E::ErrorStackOverflow(_) => return Fault::limit("call_levels_max", limits.call_levels_max as u64),
        E::ErrorDataTooLarge(what, _) => return too_large(&what, limits),
        E::ErrorParsing(reason, _) => return parser_fault(&reason, limits),
        E::ErrorVariableNotFound(name, _) => unknown_variable(&name),
        E::ErrorFunctionNotFound(signature, _) => {
            let text = bilingual!(
                "there is no function `{signature}` (name and types of its arguments)",
                "没有函数 `{signature}`（函数名与参数类型）"
            );
            return Fault { kind: ErrorKind::Operand, text };
        }
        E::ErrorAssignmentToConstant(name, _) => constant(&name),
        E::ErrorMismatchDataType(expected, found, _) | E::ErrorMismatchOutputType(expected, found, _) => {
            bilingual!("expected {expected}, found {found}", "应为 {expected}，实际为 {found}")
        }
        E::ErrorArithmetic(detail, _) => {
            bilingual!("calculation failed: {detail}", "计算出错：{detail}")
        }
        E::ErrorArrayBounds(len, index, _) | E::ErrorStringBounds(len, index, _) => {
            bilingual!("there is no item {index}: there are {len}", "没有第 {index} 项：共 {len} 项")
        }
        other => bilingual!("{other}", "规则出错：{other}"),
    };
    Fault::runtime(text)
}

/// rhai says which limit by words only.
fn too_large(what: &str, limits: &Limits) -> Fault {
    let what = what.to_ascii_lowercase();
    if what.contains("string") {
        Fault::limit("string_bytes_max", limits.string_bytes_max as u64)
    } else if what.contains("map") {
        Fault::limit("map_len_max", limits.map_len_max as u64)
    } else {
        Fault::limit("array_len_max", limits.array_len_max as u64)
    }
}

fn unknown_variable(name: &str) -> Text {
    bilingual!("there is no variable `{name}`", "没有变量 `{name}`")
}

fn constant(name: &str) -> Text {
    bilingual!("`{name}` cannot be assigned", "`{name}` 不能被赋值")
}
