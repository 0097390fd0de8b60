//! Object definitions: what there is to know about records of an object before there are any.

mod computed;
mod layout;
mod matching;
mod parts;
mod pipeline;
mod quality;

pub use computed::{Computed, Formula, RollUp, RollUpFunction};
pub use layout::{Layout, RelatedList, Section};
pub use matching::{DuplicateAction, DuplicateRule, MatchField, MatchMethod, MatchingRule};
pub use pipeline::{Outcome, Pipeline, Stage, StageTask};
pub use quality::{Quality, TextFormat};

use crate::{Error, FieldName, Filter, ObjectName, PluginId, Result, Text, Value, bilingual};

/// The number that the host gave an object. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub u32);

/// The number that the host gave a field within its object. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(pub u32);

/// What every record has beside its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SystemField {
    /// `id`
    Id,
    /// `created_at`
    CreatedAt,
    /// `updated_at`
    UpdatedAt,
    /// `deleted_at`
    DeletedAt,
    /// `version`
    Version,
}

impl SystemField {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Id, Self::CreatedAt, Self::UpdatedAt, Self::DeletedAt, Self::Version];

    /// Its API name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::DeletedAt => "deleted_at",
            Self::Version => "version",
        }
    }

    /// The system field of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// The type of a field. It never changes; another type is another field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldType {
    /// Text of at most so many characters.
    Text {
        /// The limit, at most 100,000.
        characters_max: u32,
    },
    /// A finite number.
    Number,
    /// A whole number.
    Integer,
    /// An amount with a currency.
    Money,
    /// Yes or no.
    Bool,
    /// A day.
    Date,
    /// A moment.
    Time,
    /// One of the options.
    Choice {
        /// In the order in which they are shown.
        options: Vec<ChoiceOption>,
    },
    /// Several of the options.
    MultiChoice {
        /// In the order in which they are shown.
        options: Vec<ChoiceOption>,
    },
    /// A record of an object.
    Reference {
        /// Which object.
        object: ObjectName,
    },
    /// Several values of a type that is not itself a list.
    List {
        /// The type of each.
        of: Box<FieldType>,
    },
    /// Anything that JSON can say, at most 64 KiB.
    Json,
}

/// An option of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceOption {
    /// Its API value, which never changes.
    pub value: String,
    /// What people call it.
    pub label: Text,
    /// Whether it can no longer be chosen; records that have it keep it.
    pub retired: bool,
}

/// Whose idea an object or field is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origin {
    /// Every company has it.
    Standard,
    /// An administrator of this company added it.
    #[default]
    Company,
    /// A plugin's industry pack added it; its name begins with the pack's prefix.
    Pack {
        /// Which one.
        id: PluginId,
        /// Whether the pack was removed: what it added stays readable, and is taken up again when the pack comes back.
        removed: bool,
    },
}

impl Origin {
    /// Whether what added it was removed.
    pub fn is_removed(&self) -> bool {
        matches!(self, Self::Pack { removed: true, .. })
    }
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDefinition {
    /// The number that stands for it on disk.
    pub id: FieldId,
    /// Its API name.
    pub name: FieldName,
    /// What people call it.
    pub label: Text,
    /// What it means; may be empty.
    pub description: Text,
    /// Its type.
    pub field_type: FieldType,
    /// Whether a record cannot be saved without it.
    pub required: bool,
    /// Whether no two records may have the same value.
    pub unique: bool,
    /// Whether filters and sorts on it use an index.
    pub indexed: bool,
    /// Whether it is personal data, which needs a grant of its own and is erased with the person.
    pub personal_data: bool,
    /// Records that match cannot be saved without it.
    pub required_if: Option<Filter>,
    /// What a record is created with that does not say.
    pub default: Option<Value>,
    /// What its text means.
    pub format: Option<TextFormat>,
    /// Where its value comes from, where nobody writes it.
    pub computed: Option<Computed>,
    /// Whether it is out of use: what records have in it stays readable and cannot be changed.
    pub retired: bool,
    /// Whose idea it is.
    pub origin: Origin,
}

impl FieldDefinition {
    /// A field that may be empty, without index, that anybody writes.
    pub fn new(id: FieldId, name: FieldName, label: Text, field_type: FieldType) -> Self {
        Self {
            id,
            name,
            label,
            description: Text::default(),
            field_type,
            required: false,
            unique: false,
            indexed: false,
            personal_data: false,
            required_if: None,
            default: None,
            format: None,
            computed: None,
            retired: false,
            origin: Origin::default(),
        }
    }

    /// Whether nobody can write it: it is retired, or what added it was removed.
    pub fn is_out_of_use(&self) -> bool {
        self.retired || self.origin.is_removed()
    }
}

/// An index over the events of a record with an ordinal (the orders of an account), in the order of ordinals and time.
///
/// A scan of it gives features without touching the records themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covering {
    /// The reference whose target has the ordinal.
    pub target: FieldName,
    /// The field that is the event's time; a date or a time.
    pub time: FieldName,
    /// Numbers, whole numbers and money that the entry carries.
    pub values: Vec<FieldName>,
}

/// An index over several fields: equality on the first ones, sorted by the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompositeIndex {
    /// Fields that a filter compares for equality.
    pub equals: Vec<FieldName>,
    /// The field that results are sorted by.
    pub sort: FieldName,
}

/// An object: the standard ones, an admin's and a plugin's are all such data.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectDefinition {
    /// The number that stands for it on disk.
    pub id: ObjectId,
    /// Its API name, singular.
    pub name: ObjectName,
    /// The plural of the API name, which never changes either: its URL is this with `_` as `-`.
    pub plural: ObjectName,
    /// What people call one.
    pub label: Text,
    /// What people call several.
    pub plural_label: Text,
    /// The field that stands for the record where there is room for one; a text.
    pub title: FieldName,
    /// Its fields, in the order in which they are shown.
    pub fields: Vec<FieldDefinition>,
    /// Whether records have an ordinal, and with it columns of features, scores and memberships.
    pub ordinals: bool,
    /// Whether records are only ever added; a correction is a deletion and a new record.
    pub append_only: bool,
    /// The index that features are computed from, where the object is the events of another.
    pub covering: Option<Covering>,
    /// Further indexes.
    pub composite_indexes: Vec<CompositeIndex>,
    /// How its records are shown; the first one that fits counts.
    pub layouts: Vec<Layout>,
    /// The ways that its records go.
    pub pipelines: Vec<Pipeline>,
    /// When two of its records are taken for the same.
    pub matching_rules: Vec<MatchingRule>,
    /// What happens then.
    pub duplicate_rules: Vec<DuplicateRule>,
    /// What makes a good record.
    pub quality: Option<Quality>,
    /// Whether it is out of use: its records stay readable, none is created or changed.
    pub retired: bool,
    /// Whose idea it is.
    pub origin: Origin,
}

impl ObjectDefinition {
    /// An object with these fields and nothing else; its labels are its API names.
    pub fn new(
        id: ObjectId,
        name: ObjectName,
        plural: ObjectName,
        title: FieldName,
        fields: Vec<FieldDefinition>,
    ) -> Self {
        Self {
            id,
            label: Text::new(name.as_str(), name.as_str()),
            plural_label: Text::new(plural.as_str(), plural.as_str()),
            name,
            plural,
            title,
            fields,
            ordinals: false,
            append_only: false,
            covering: None,
            composite_indexes: Vec::new(),
            layouts: Vec::new(),
            pipelines: Vec::new(),
            matching_rules: Vec::new(),
            duplicate_rules: Vec::new(),
            quality: None,
            retired: false,
            origin: Origin::default(),
        }
    }

    /// Whether no record can be created or changed: it is retired, or what added it was removed.
    pub fn is_out_of_use(&self) -> bool {
        self.retired || self.origin.is_removed()
    }

    /// The field of a name.
    pub fn field(&self, name: &str) -> Option<&FieldDefinition> {
        self.fields.iter().find(|field| field.name.as_str() == name)
    }

    /// The field of an id.
    pub fn field_by_id(&self, id: FieldId) -> Option<&FieldDefinition> {
        self.fields.iter().find(|field| field.id == id)
    }

    /// The last part of its URL: `order-lines`, or `telecom--tariffs` for a pack's.
    pub fn url_segment(&self) -> String {
        self.plural.as_str().replace('_', "-")
    }

    /// Checks that the definition does not contradict itself. References to other objects are checked by the schema that holds it.
    ///
    /// # Errors
    /// [`Error::InvalidDefinition`] names the first contradiction.
    pub fn validate(&self) -> Result<()> {
        let wrong = |reason: Text| Err(Error::InvalidDefinition { object: self.name.to_string(), reason });
        for (place, field) in self.fields.iter().enumerate() {
            let name = &field.name;
            if SystemField::of(name.as_str()).is_some() {
                return wrong(bilingual!("`{name}` is a system field", "`{name}` 是系统字段"));
            }
            if self.fields.iter().take(place).any(|other| other.name == field.name || other.id == field.id) {
                let number = field.id.0;
                return wrong(bilingual!(
                    "field `{name}` (number {number}) is there twice",
                    "字段 `{name}`（编号 {number}）重复"
                ));
            }
            if let Err(reason) = field.field_type.validate(field.unique, field.indexed) {
                return wrong(bilingual!("field `{name}`: ", "字段 `{name}`：").then(&reason));
            }
        }
        if !self
            .field(self.title.as_str())
            .is_some_and(|field| matches!(field.field_type, FieldType::Text { .. }))
        {
            let title = &self.title;
            return wrong(bilingual!("title `{title}` is not a text field", "标题 `{title}` 不是文本字段"));
        }
        if let Some(covering) = &self.covering {
            self.validate_covering(covering)
                .or_else(|reason| wrong(Text::new("covering index: ", "覆盖索引：").then(&reason)))?;
        }
        for index in &self.composite_indexes {
            let mut names = index.equals.iter().chain([&index.sort]);
            let missing = names.find(|name| !self.is_sortable(name.as_str()));
            if let Some(name) = missing {
                return wrong(bilingual!(
                    "composite index over `{name}`, which is no sortable field",
                    "组合索引中的 `{name}` 不是可排序的字段"
                ));
            }
        }
        matching::validate(self).or_else(wrong)?;
        self.validate_parts().or_else(wrong)
    }

    /// Whether a field, system fields included, has an order that an index can keep.
    pub fn is_sortable(&self, name: &str) -> bool {
        SystemField::of(name).is_some()
            || self.field(name).is_some_and(|field| field.field_type.is_sortable())
    }

    fn validate_covering(&self, covering: &Covering) -> Result<(), Text> {
        let Covering { target, time, .. } = covering;
        let type_of = |name: &FieldName| self.field(name.as_str()).map(|field| &field.field_type);
        if !matches!(type_of(target), Some(FieldType::Reference { .. })) {
            return Err(bilingual!("target `{target}` is not a reference", "目标 `{target}` 不是引用字段"));
        }
        if !matches!(type_of(time), Some(FieldType::Date | FieldType::Time)) {
            return Err(bilingual!(
                "time `{time}` is not a date or time",
                "时间 `{time}` 不是日期或时间字段"
            ));
        }
        let numeric = |name: &&FieldName| {
            matches!(type_of(name), Some(FieldType::Number | FieldType::Integer | FieldType::Money))
        };
        match covering.values.iter().find(|name| !numeric(name)) {
            Some(name) => Err(bilingual!(
                "value `{name}` is not a number, whole number or money",
                "数值 `{name}` 不是数字、整数或金额字段"
            )),
            None => Ok(()),
        }
    }
}

impl FieldType {
    /// The name of the type in definitions and in the API.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Money => "money",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::Time => "time",
            Self::Choice { .. } => "choice",
            Self::MultiChoice { .. } => "multi_choice",
            Self::Reference { .. } => "reference",
            Self::List { .. } => "list",
            Self::Json => "json",
        }
    }

    /// Whether its values have an order that an index can keep.
    pub fn is_sortable(&self) -> bool {
        !matches!(self, Self::MultiChoice { .. } | Self::List { .. } | Self::Json)
    }

    fn validate(&self, unique: bool, indexed: bool) -> Result<(), Text> {
        let name = self.name();
        if (unique || indexed) && !self.is_sortable() {
            return Err(bilingual!(
                "a {name} cannot be unique or indexed",
                "{name} 类型不能设为唯一或建索引"
            ));
        }
        match self {
            Self::Text { characters_max } if !(1..=100_000).contains(characters_max) => Err(bilingual!(
                "characters_max {characters_max} is not within 1 to 100,000",
                "characters_max {characters_max} 不在 1 到 100,000 之间"
            )),
            Self::Text { characters_max } if unique && *characters_max > 200 => {
                Err(Text::new("a unique text has at most 200 characters", "唯一的文本最多 200 个字符"))
            }
            Self::Choice { options } | Self::MultiChoice { options } if options.is_empty() => {
                Err(Text::new("no options", "没有可选值"))
            }
            Self::Choice { options } | Self::MultiChoice { options } => {
                let twice = options.iter().enumerate().find(|(place, option)| {
                    options.iter().take(*place).any(|other| other.value == option.value)
                });
                match twice.map(|(_, option)| &option.value) {
                    Some(value) => {
                        Err(bilingual!("option `{value}` is there twice", "可选值 `{value}` 重复"))
                    }
                    None => Ok(()),
                }
            }
            Self::List { of }
                if matches!(**of, Self::List { .. } | Self::Json | Self::MultiChoice { .. }) =>
            {
                let of = of.name();
                Err(bilingual!("a list of {of}", "不支持 {of} 的列表"))
            }
            Self::List { of } => of.validate(false, false),
            _ => Ok(()),
        }
    }
}
