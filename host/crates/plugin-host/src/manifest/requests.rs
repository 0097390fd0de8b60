//! What a plugin asks for, in words for the admin who grants it.

use std::collections::{BTreeMap, BTreeSet};

use trellis_model::{FieldName, ObjectName, Published, Text, bilingual};

use super::{ActionGrant, ColumnSource, Dataset, DatasetColumn, Manifest};

/// One thing that a plugin asks for and an admin grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Names it in settings: `read:account(name,owner)`, `act:create-task`, `wasi`.
    pub grant: String,
    /// What it means.
    pub text: Text,
    /// Whether it is about personal data: then it is granted only where an admin names it.
    pub personal: bool,
}

impl Request {
    /// The system interfaces that some toolchains need; which plugin wants them shows in its imports.
    pub(crate) fn wasi() -> Self {
        Self {
            grant: "wasi".to_owned(),
            text: Text::new(
                "uses system interfaces (WASI) that its toolchain needs; there are no files, no network and no environment behind them",
                "使用其工具链所需的系统接口（WASI）；接口背后没有文件、网络和环境变量",
            ),
            personal: false,
        }
    }
}

impl Manifest {
    /// Everything that the manifest asks for: `data:` for its datasets, `score:`, `band:` and `segment:` for results that it reads, `see:` and `judge:` for records that it works on or
    /// judges, `read:` for look-ups, `act:` for actions. See also [`crate::Inspection::requests`].
    pub fn requests(&self) -> Vec<Request> {
        let mut requests = Vec::new();
        let mut push = |grant: String, text: Text| requests.push(Request { grant, text, personal: false });
        let mut asked = BTreeSet::new();
        for (object, list) in self.datasets.iter().flat_map(Dataset::asks) {
            let asks = data(&object, &list);
            if asked.insert(asks.clone()) {
                let text = bilingual!("reads of every {object}: {list}", "读取每条 {object} 记录的：{list}");
                push(asks, text);
            }
        }
        for (object, published) in self.datasets.iter().flat_map(Dataset::published) {
            let asks = published_grant(object, published);
            if asked.insert(asks.clone()) {
                let text = bilingual!(
                    "reads of every {object} what is worked out about it: {published}",
                    "读取每条 {object} 记录的计算结果：{published}"
                );
                push(asks, text);
            }
        }
        if let Some(workflow) = &self.service_workflow {
            let (object, list) = (&workflow.object, comma(&workflow.fields));
            let text = bilingual!("sees of a {object}: {list}", "查看 {object} 的：{list}");
            push(grant("see", object, &workflow.fields), text);
            if !workflow.account_fields.is_empty() {
                let list = comma(&workflow.account_fields);
                let text = bilingual!("sees of its account: {list}", "查看其所属客户的：{list}");
                push(format!("see:account({list})"), text);
            }
        }
        if let Some(campaign) = self.campaign_rules.as_ref().filter(|used| !used.campaign_fields.is_empty()) {
            let list = comma(&campaign.campaign_fields);
            let text = bilingual!("sees of a campaign: {list}", "查看营销活动的：{list}");
            push(format!("see:campaign({list})"), text);
        }
        for hook in &self.record_hooks {
            let (object, list) = (&hook.object, comma(&hook.fields));
            let text = bilingual!(
                "may change or refuse every {object} before it is saved, and sees: {list}",
                "可在保存前修改或拒绝每条 {object} 记录，并查看：{list}"
            );
            push(grant("judge", object, &hook.fields), text);
        }
        for lookup in &self.lookups {
            let (object, list) = (&lookup.object, comma(&lookup.fields));
            let text = bilingual!("may look up any {object}: {list}", "可查询任意 {object} 记录的：{list}");
            push(grant("read", object, &lookup.fields), text);
        }
        for action in &self.actions {
            push(action.grant(), action.text());
        }
        requests
    }
}

impl Manifest {
    /// Every field that the plugin reads in any way, by object: datasets, records that it works on or judges, look-ups.
    pub fn reads(&self) -> BTreeMap<ObjectName, BTreeSet<FieldName>> {
        let mut reads: BTreeMap<ObjectName, BTreeSet<FieldName>> = BTreeMap::new();
        let mut add = |object: &ObjectName, fields: &BTreeSet<FieldName>| {
            reads.entry(object.clone()).or_default().extend(fields.iter().cloned());
        };
        for dataset in &self.datasets {
            dataset.reads().iter().for_each(|(object, fields)| add(object, fields));
        }
        if let Some(workflow) = &self.service_workflow {
            add(&workflow.object, &workflow.fields);
            if let Ok(account) = ObjectName::new("account") {
                add(&account, &workflow.account_fields);
            }
        }
        if let (Some(campaign), Ok(object)) = (&self.campaign_rules, ObjectName::new("campaign")) {
            add(&object, &campaign.campaign_fields);
        }
        self.record_hooks.iter().for_each(|hook| add(&hook.object, &hook.fields));
        self.lookups.iter().for_each(|lookup| add(&lookup.object, &lookup.fields));
        reads
    }
}

impl Dataset {
    /// What it reads, by object: its columns, and what decides which rows there are and in which order. Of a path over a reference it is
    /// the reference; see [`Dataset::reads_through`].
    pub fn reads(&self) -> BTreeMap<ObjectName, BTreeSet<FieldName>> {
        let mut data = self.reads_by_itself();
        let chosen = self.columns.iter().filter_map(DatasetColumn::chosen).cloned();
        let chosen: BTreeSet<_> = chosen.collect();
        if !chosen.is_empty() {
            data.entry(self.object.clone()).or_default().extend(chosen);
        }
        data
    }

    /// The fields of other records that it reads, each after the references that lead there from its object.
    pub fn reads_through(&self) -> BTreeSet<Vec<FieldName>> {
        let mut paths = BTreeSet::new();
        for column in &self.columns {
            if let ColumnSource::Through { references, field } = &column.source {
                paths.insert(references.iter().chain([field]).cloned().collect());
            }
        }
        paths.extend(self.filters_through());
        paths
    }

    /// The fields of other records that decide which rows of a dataset of rows there are, each after the reference that leads there.
    pub fn filters_through(&self) -> Vec<Vec<FieldName>> {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        compared(&self.filter, &mut first, |path| {
            path.first().filter(|_| path.len() == 2).map(std::slice::from_ref)
        });
        compared(&self.filter, &mut second, |path| path.get(1..));
        first.into_iter().zip(second).map(|(first, second)| vec![first.clone(), second.clone()]).collect()
    }

    /// The fields of its object that decide which rows of a dataset of rows there are, and in which order. See also
    /// [`Dataset::filters_through`].
    pub fn decided_by(&self) -> Vec<&FieldName> {
        let mut decided: Vec<_> = self.order_by.iter().chain(&self.time).collect();
        compared(&self.filter, &mut decided, |path| path.get(..1));
        decided
    }

    /// What the manifest itself says that it reads, not what the configuration chose.
    fn reads_by_itself(&self) -> BTreeMap<ObjectName, BTreeSet<FieldName>> {
        let mut data: BTreeMap<ObjectName, BTreeSet<FieldName>> = BTreeMap::new();
        for column in self.columns.iter().filter(|column| column.chosen().is_none()) {
            let (object, fields) = column.source.reads(&self.object);
            data.entry(object.clone()).or_default().extend(fields.into_iter().cloned());
        }
        let own = self.decided_by();
        if !own.is_empty() {
            data.entry(self.object.clone()).or_default().extend(own.into_iter().cloned());
        }
        data.retain(|_, fields| !fields.is_empty());
        data
    }

    fn published(&self) -> impl Iterator<Item = (&ObjectName, &Published)> {
        self.columns.iter().filter_map(|column| Some((&self.object, column.published()?)))
    }

    /// Every grant that it needs, as object and list of fields: one an object for what the manifest says, and one a field for what the
    /// configuration chose, so that choosing another asks for that one only.
    fn asks(&self) -> Vec<(ObjectName, String)> {
        let by_itself = self.reads_by_itself().into_keys();
        let mut asks: Vec<_> = by_itself.map(|object| (object.clone(), self.list_of(&object))).collect();
        let chosen = self.columns.iter().filter_map(DatasetColumn::chosen);
        asks.extend(chosen.map(|field| (self.object.clone(), field.to_string())));
        asks
    }

    fn list_of(&self, object: &ObjectName) -> String {
        let fields = self.reads_by_itself().remove(object).unwrap_or_default();
        let mut list: Vec<String> = fields.iter().map(ToString::to_string).collect();
        if *object == self.object {
            list.extend(
                self.reads_through()
                    .iter()
                    .map(|path| path.iter().map(FieldName::as_str).collect::<Vec<_>>().join(".")),
            );
        }
        list.join(",")
    }

    /// The grant that the data of an object needs: `data:order(amount,ordered_on)`.
    pub fn grant_of(&self, object: &ObjectName) -> String {
        data(object, &self.list_of(object))
    }

    /// The grant that a column of this dataset needs.
    pub fn grant_of_column(&self, column: &DatasetColumn) -> String {
        match (column.chosen(), column.published()) {
            (Some(field), _) => data(&self.object, field.as_str()),
            (_, Some(published)) => published_grant(&self.object, published),
            (None, None) => self.grant_of(column.source.reads(&self.object).0),
        }
    }
}

impl DatasetColumn {
    /// The field that the configuration chose for it, if it did.
    pub fn chosen(&self) -> Option<&FieldName> {
        match &self.source {
            ColumnSource::Chosen(field) => Some(field),
            _ => None,
        }
    }
}

impl ColumnSource {
    /// Whose fields a column reads, and which: `of` is the dataset's object. Of a path over references it is the first step; see
    /// [`ColumnSource::reads_beyond`].
    pub fn reads<'a>(&'a self, of: &'a ObjectName) -> (&'a ObjectName, Vec<&'a FieldName>) {
        match self {
            Self::Field(field) | Self::Chosen(field) => (of, vec![field]),
            Self::Through { references, .. } => (of, references.first().into_iter().collect()),
            Self::Configured(_) | Self::Published(_) => (of, Vec::new()),
            Self::Aggregate { from, aggregate, time } => {
                let sum = match aggregate {
                    super::Aggregate::Sum(field) => Some(field),
                    super::Aggregate::Count | super::Aggregate::First | super::Aggregate::Last => None,
                };
                (from, sum.into_iter().chain([time]).collect())
            }
            Self::Related(related) => {
                let named = [related.figure.field(), related.time.as_ref(), related.by.as_ref()];
                let mut fields: Vec<_> = named.into_iter().flatten().collect();
                compared(&related.filter, &mut fields, |path| path.get(..1));
                (&related.object, fields)
            }
        }
    }

    /// The fields of other records that a filter reaches over references.
    pub fn reads_beyond(&self) -> Vec<&FieldName> {
        let mut fields = Vec::new();
        match self {
            Self::Related(related) => compared(&related.filter, &mut fields, |path| path.get(1..)),
            Self::Through { references, field } => {
                fields.extend(references.iter().skip(1).chain([field]));
            }
            _ => {}
        }
        fields
    }
}

impl ActionGrant {
    /// Names it in settings: `act:set-fields:case(priority,severity)`, `act:create-task`.
    pub fn grant(&self) -> String {
        match &self.object {
            Some(object) => grant(&format!("act:{}", self.kind), object, &self.fields),
            None => format!("act:{}", self.kind),
        }
    }

    fn text(&self) -> Text {
        let object = self.object.as_ref().map_or("", ObjectName::as_str);
        let list = comma(&self.fields);
        match self.kind.as_str() {
            "set-fields" => bilingual!("may set of a {object}: {list}", "可设置 {object} 的：{list}"),
            "create-record" => {
                bilingual!("may create a {object} with: {list}", "可新建 {object}，并填写：{list}")
            }
            "create-task" => Text::new("may create tasks", "可创建任务"),
            "send-message" => {
                Text::new("may put messages to customers into the outbox", "可将发给客户的消息放入发件箱")
            }
            "start-timer" => Text::new("may start timers", "可启动定时器"),
            "cancel-timer" => Text::new("may cancel its timers", "可取消其定时器"),
            kind => bilingual!("may return the action {kind}", "可返回动作 {kind}"),
        }
    }
}

/// The fields that a filter compares: those steps of their paths that `steps` chooses.
fn compared<'a>(
    filter: &'a trellis_model::Filter,
    fields: &mut Vec<&'a FieldName>,
    steps: fn(&[FieldName]) -> Option<&[FieldName]>,
) {
    use trellis_model::Filter;
    match filter {
        Filter::And(parts) | Filter::Or(parts) => {
            parts.iter().for_each(|part| compared(part, fields, steps));
        }
        Filter::Not(part) => compared(part, fields, steps),
        Filter::Compare { path, .. } => fields.extend(steps(&path.0).unwrap_or_default()),
        Filter::Related(related) => fields.push(&related.related),
    }
}

/// The grant that a score, a band or a segmentation needs: `score:account(customer_lifetime__clv)`.
pub fn published_grant(object: &ObjectName, published: &Published) -> String {
    format!("{}:{object}({})", published.kind.name(), published.name)
}

fn data(object: &ObjectName, list: &str) -> String {
    format!("data:{object}({list})")
}

fn grant(what: &str, object: &ObjectName, fields: &BTreeSet<FieldName>) -> String {
    format!("{what}:{object}({})", comma(fields))
}

fn comma(fields: &BTreeSet<FieldName>) -> String {
    fields.iter().map(FieldName::as_str).collect::<Vec<_>>().join(",")
}
