//! What can go wrong, each with the plugin and version it concerns.

use trellis_model::{PluginId, Text};

use crate::call::LogLine;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Names a version of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PluginVersion {
    /// Which plugin.
    pub id: PluginId,
    /// Which version of it.
    pub version: semver::Version,
}

impl std::fmt::Display for PluginVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "plugin `{}` {}", self.id, self.version)
    }
}

/// Why a plugin was refused or a call has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is something else.
    #[error("file is not a WebAssembly component: {reason}")]
    NotAComponent {
        /// What it is instead.
        reason: String,
    },
    /// The file is too large.
    #[error("component has {bytes} bytes, at most {bytes_max} are accepted (`plugins.component_bytes_max`)")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The component does not say what it is.
    #[error("component carries no `{section}` section: build it with `trellis plugin build`", section = crate::component::MANIFEST_SECTION)]
    MissingManifest,
    /// The manifest cannot be used.
    #[error("plugin.toml of {plugin}, {place}: {reason}")]
    InvalidManifest {
        /// The plugin as far as its manifest says it.
        plugin: String,
        /// The key or line.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The plugin was built against interfaces that this host does not have.
    #[error("{plugin} uses `{interface}`, this host supports trellis:plugin {supported}")]
    UnknownInterfaceVersion {
        /// Which plugin.
        plugin: PluginVersion,
        /// The interface with the version it uses.
        interface: String,
        /// What this host supports.
        supported: String,
    },
    /// The component does not export what its manifest says.
    #[error(
        "{plugin} says that it provides {manifest:?}, but its component exports {found:?}: correct `provides` in plugin.toml"
    )]
    ExportsDisagree {
        /// Which plugin.
        plugin: PluginVersion,
        /// What the manifest says.
        manifest: Vec<String>,
        /// What the component exports.
        found: Vec<String>,
    },
    /// The component imports what no one granted.
    #[error("{plugin} imports `{import}`, which is not granted: {hint}")]
    ImportNotGranted {
        /// Which plugin.
        plugin: PluginVersion,
        /// The import.
        import: String,
        /// What to do about it.
        hint: String,
    },
    /// An interface has the right name and other types.
    #[error("{plugin} does not fit the interfaces that it names: {reason}")]
    WrongShape {
        /// Which plugin.
        plugin: PluginVersion,
        /// What differs.
        reason: String,
    },
    /// The component has more parts than a plugin gets.
    #[error("{plugin} needs more than a plugin gets: {reason}")]
    OverLimits {
        /// Which plugin.
        plugin: PluginVersion,
        /// What it needs and what it gets.
        reason: String,
    },
    /// The component cannot be compiled.
    #[error("{plugin} cannot be compiled: {reason}")]
    CompileFailed {
        /// Which plugin.
        plugin: PluginVersion,
        /// What the compiler says.
        reason: String,
    },
    /// The compilation took too long.
    #[error("{plugin} was not compiled within {timeout_ms} ms")]
    CompileTimeout {
        /// Which plugin.
        plugin: PluginVersion,
        /// The limit.
        timeout_ms: u64,
    },
    /// The plugin misbehaved.
    #[error(transparent)]
    Fault(Box<Fault>),
    /// The plugin says that it cannot answer.
    #[error("{plugin}, {function}: {error}")]
    Plugin {
        /// Which plugin.
        plugin: PluginVersion,
        /// Which function.
        function: &'static str,
        /// What it says.
        error: PluginError,
    },
    /// The call was cancelled.
    #[error("call of {plugin} was cancelled")]
    Cancelled {
        /// Which plugin.
        plugin: PluginVersion,
    },
    /// No permit became free in time.
    #[error("{plugin} was not called: every permit was taken for {waited_ms} ms")]
    Busy {
        /// Which plugin.
        plugin: PluginVersion,
        /// How long the call waited.
        waited_ms: u64,
    },
    /// Answers to look-ups took so long that the call ran out of time. Not the plugin's fault.
    #[error(
        "{plugin}, {function}: look-ups took {took_ms} ms ({lookups} of them), and the call may take {ms} ms with them"
    )]
    SlowLookups {
        /// Which plugin.
        plugin: PluginVersion,
        /// Which function.
        function: &'static str,
        /// How many look-ups there were.
        lookups: u32,
        /// How long they took.
        took_ms: u64,
        /// The limit of the call.
        ms: u64,
    },
    /// The host's own rows could not be read. Not the plugin's fault.
    #[error("rows for {plugin} cannot be read: {reason}")]
    RowStream {
        /// Which plugin.
        plugin: PluginVersion,
        /// What the stream says.
        reason: String,
    },
    /// The host passed a batch over its own limits. Not the plugin's fault.
    #[error("batch for {plugin} has {found} {unit}, at most {limit} are allowed")]
    BatchTooLarge {
        /// Which plugin.
        plugin: PluginVersion,
        /// How much it has.
        found: u64,
        /// How much it may have.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
    /// The plugin is not called: it failed too often. Nothing ran.
    #[error("{plugin} is not called: it is {state}{}{}", until(*.until_ms), because(.reason))]
    Unavailable {
        /// Which plugin.
        plugin: PluginVersion,
        /// How it stands: `backing-off`, `trying` or `quarantined`.
        state: &'static str,
        /// When it is tried again, in milliseconds since 1970-01-01T00:00:00Z; `None` until somebody releases it, or while it is tried.
        until_ms: Option<i64>,
        /// What it did wrong last.
        reason: String,
    },
    /// A host function panicked. Not the plugin's fault.
    #[error("host failed in a call of {plugin}: {reason}")]
    Host {
        /// Which plugin.
        plugin: PluginVersion,
        /// The panic's message.
        reason: String,
    },
    /// The sandbox cannot be set up on this machine.
    #[error("plugin sandbox cannot be set up: {reason}")]
    Setup {
        /// What the engine says.
        reason: String,
    },
    /// The folder of compiled components cannot be used.
    #[error("plugin cache `{path}` cannot be used")]
    Cache {
        /// Which file or folder.
        path: std::path::PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

fn until(until_ms: Option<i64>) -> String {
    let until = until_ms.and_then(|until_ms| jiff::Timestamp::from_millisecond(until_ms).ok());
    until.map_or_else(String::new, |until| format!(" until {until}"))
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" because it {reason}") }
}

/// A plugin did what no plugin may do. The instance is gone; the next call gets a new one.
#[derive(Debug, thiserror::Error)]
#[error("{plugin}, {interface}.{function}: {kind}")]
pub struct Fault {
    /// Which plugin.
    pub plugin: PluginVersion,
    /// Which interface was called.
    pub interface: &'static str,
    /// Which function of it.
    pub function: &'static str,
    /// What happened.
    pub kind: FaultKind,
    /// What the plugin wrote before.
    pub logs: Vec<LogLine>,
}

/// What a plugin did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// It trapped, for example by a panic.
    #[error("trapped: {0}")]
    Trap(String),
    /// It ran too long.
    #[error("ran longer than its {ms} ms")]
    Timeout {
        /// The limit of this call.
        ms: u64,
    },
    /// It wanted too much memory.
    #[error("wanted more than its {bytes_max} bytes of memory")]
    Memory {
        /// The limit of its class.
        bytes_max: u64,
    },
    /// It wanted a table that is too large.
    #[error("wanted a table of more than {elements_max} elements")]
    Table {
        /// The limit.
        elements_max: usize,
    },
    /// It recursed too deeply.
    #[error("overflowed its stack")]
    StackOverflow,
    /// It returned, or passed to the host, too much.
    #[error("returned more than its {bytes_max} bytes")]
    OutputTooLarge {
        /// The limit of its class.
        bytes_max: u64,
    },
    /// It wanted too much done.
    #[error("returned {actions} actions{}, at most {actions_max} are allowed (`{limit}`)", .row.map_or(String::new(), |row| format!(" for row {row}")))]
    TooManyActions {
        /// How many it returned.
        actions: usize,
        /// For which row, where rows have a limit each.
        row: Option<u32>,
        /// The limit.
        actions_max: u32,
        /// The configuration key of the limit, within the limits of the class.
        limit: &'static str,
    },
    /// It returned something that breaks the interface's rules.
    #[error("returned an invalid result: {0}")]
    InvalidResult(String),
    /// It began to read its rows too often.
    #[error("began to read its rows again more than {passes_max} times")]
    TooManyPasses {
        /// The limit of its class.
        passes_max: u32,
    },
    /// It held too many datasets open.
    #[error("had more than {streams_max} datasets open at once")]
    TooManyStreams {
        /// The limit.
        streams_max: u32,
    },
}

/// What a plugin says when a call as a whole has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// The admin has to change a setting.
    #[error("invalid configuration: {}", .0.en)]
    InvalidConfig(Box<Text>),
    /// Whoever asks has to change a parameter.
    #[error("invalid parameters: {}", .0.en)]
    InvalidParameters(Box<Text>),
    /// The data as a whole cannot be used.
    #[error("unsuitable data: {}", .0.en)]
    UnsuitableData(Box<Text>),
    /// The model is of a version that this plugin does not read: fit a new one.
    #[error("unreadable model: {}", .0.en)]
    UnreadableModel(Box<Text>),
    /// A grant is missing.
    #[error("denied: {}", .0.en)]
    Denied(Box<Text>),
    /// The same call may succeed later.
    #[error("for now: {}", .0.en)]
    Transient(Box<Text>),
    /// Anything else.
    #[error("{code}: {text}", text = .text.en)]
    Other {
        /// A stable code.
        code: String,
        /// What happened.
        text: Box<Text>,
    },
}

impl PluginError {
    /// The same in both languages; the English one is what it displays. Where the plugin says nothing in Chinese, its English stands there.
    pub fn text(&self) -> Text {
        let (label, said) = match self {
            Self::InvalidConfig(said) => ("配置无效", said),
            Self::InvalidParameters(said) => ("参数无效", said),
            Self::UnsuitableData(said) => ("数据不可用", said),
            Self::UnreadableModel(said) => ("模型无法读取", said),
            Self::Denied(said) => ("没有授权", said),
            Self::Transient(said) => ("暂时无法处理", said),
            Self::Other { code, text } => (code.as_str(), text),
        };
        let zh_cn = if said.zh_cn.is_empty() { &said.en } else { &said.zh_cn };
        Text::new(self.to_string(), format!("{label}：{zh_cn}"))
    }
}
