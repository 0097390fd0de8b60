use crate::{Error, FieldName, ObjectName, Result, Text};

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
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

impl ObjectDefinition {
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
        let wrong = |reason: String| Err(Error::InvalidDefinition { object: self.name.to_string(), reason });
        for (place, field) in self.fields.iter().enumerate() {
            if SystemField::of(field.name.as_str()).is_some() {
                return wrong(format!("`{}` is a system field", field.name));
            }
            if self.fields.iter().take(place).any(|other| other.name == field.name || other.id == field.id) {
                return wrong(format!("field `{}` (number {}) is there twice", field.name, field.id.0));
            }
            if let Err(reason) = field.field_type.validate(field.unique, field.indexed) {
                return wrong(format!("field `{}`: {reason}", field.name));
            }
        }
        if !self
            .field(self.title.as_str())
            .is_some_and(|field| matches!(field.field_type, FieldType::Text { .. }))
        {
            return wrong(format!("title `{}` is not a text field", self.title));
        }
        if let Some(covering) = &self.covering {
            self.validate_covering(covering).or_else(|reason| wrong(format!("covering index: {reason}")))?;
        }
        for index in &self.composite_indexes {
            let mut names = index.equals.iter().chain([&index.sort]);
            let missing = names.find(|name| !self.is_sortable(name.as_str()));
            if let Some(name) = missing {
                return wrong(format!("composite index over `{name}`, which is no sortable field"));
            }
        }
        Ok(())
    }

    /// Whether a field, system fields included, has an order that an index can keep.
    pub fn is_sortable(&self, name: &str) -> bool {
        SystemField::of(name).is_some()
            || self.field(name).is_some_and(|field| field.field_type.is_sortable())
    }

    fn validate_covering(&self, covering: &Covering) -> Result<(), String> {
        let type_of = |name: &FieldName| self.field(name.as_str()).map(|field| &field.field_type);
        if !matches!(type_of(&covering.target), Some(FieldType::Reference { .. })) {
            return Err(format!("target `{}` is not a reference", covering.target));
        }
        if !matches!(type_of(&covering.time), Some(FieldType::Date | FieldType::Time)) {
            return Err(format!("time `{}` is not a date or time", covering.time));
        }
        let numeric = |name: &&FieldName| {
            matches!(type_of(name), Some(FieldType::Number | FieldType::Integer | FieldType::Money))
        };
        match covering.values.iter().find(|name| !numeric(name)) {
            Some(name) => Err(format!("value `{name}` is not a number, whole number or money")),
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

    fn validate(&self, unique: bool, indexed: bool) -> Result<(), String> {
        if (unique || indexed) && !self.is_sortable() {
            return Err(format!("a {} cannot be unique or indexed", self.name()));
        }
        match self {
            Self::Text { characters_max } if !(1..=100_000).contains(characters_max) => {
                Err(format!("characters_max {characters_max} is not within 1 to 100,000"))
            }
            Self::Text { characters_max } if unique && *characters_max > 200 => {
                Err("a unique text has at most 200 characters".into())
            }
            Self::Choice { options } | Self::MultiChoice { options } if options.is_empty() => {
                Err("no options".into())
            }
            Self::Choice { options } | Self::MultiChoice { options } => {
                let twice = options.iter().enumerate().find(|(place, option)| {
                    options.iter().take(*place).any(|other| other.value == option.value)
                });
                twice.map_or(Ok(()), |(_, option)| Err(format!("option `{}` is there twice", option.value)))
            }
            Self::List { of }
                if matches!(**of, Self::List { .. } | Self::Json | Self::MultiChoice { .. }) =>
            {
                Err(format!("a list of {}", of.name()))
            }
            Self::List { of } => of.validate(false, false),
            _ => Ok(()),
        }
    }
}
