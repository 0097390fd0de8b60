//! Uploading, mapping and starting.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;
use trellis_model::{Filter, ObjectName, Op, RecordId, Scope, Value};
use trellis_records::{Caller, Query, Schema};
use trellis_transfer::import::{self as transfer, Edits, Mapping, MappingSpec, Profile, ReadOptions};

use super::{ImportChange, ImportSession, ImportState, signature};
use crate::blocking::blocking;
use crate::core::Core;
use crate::jobs::Request;
use crate::{Engine, Error, Job, Result, import};

/// The object that keeps mappings for files of the same kind.
const SAVED: &str = "import_mapping";

impl Engine {
    /// Takes a file that somebody wants to import and looks at it. It lies at a [`Engine::spool_path`] and belongs to the import from now
    /// on; where this call fails, it is removed at once.
    ///
    /// # Errors
    /// [`Error::Import`] where the file is none that can be read, [`Error::InvalidRequest`] where the user has too many.
    pub async fn import_create(
        &self,
        caller: &Caller,
        user: RecordId,
        file: PathBuf,
        file_name: &str,
        object: Option<&ObjectName>,
    ) -> Result<ImportSession> {
        import::spooled_name(&self.core.spool_dir, &file)?;
        let created = self.create_session(caller, user, &file, file_name, object).await;
        if created.is_err() {
            blocking("removing a spooled file", move || import::remove_spooled(&file)).await?;
        }
        created
    }

    async fn create_session(
        &self,
        caller: &Caller,
        user: RecordId,
        file: &Path,
        file_name: &str,
        object: Option<&ObjectName>,
    ) -> Result<ImportSession> {
        self.core.remove_old_files(|import| self.jobs.of_import(import).is_some());
        let per_user_max = self.core.config.imports_per_user_max;
        if self.import_list(user).await?.len() >= per_user_max {
            return Err(Error::InvalidRequest {
                reason: format!(
                    "there are {per_user_max} prepared imports of yours: delete some (`engine.imports_per_user_max`)"
                ),
            });
        }
        let profile = self.profile(file.to_owned(), ReadOptions::default()).await?;
        let now = self.core.records.clock().now_ms();
        let mut session = ImportSession {
            id: self.new_id().into(),
            user: user.into(),
            file_name: file_name.chars().filter(|char| !char.is_control()).take(200).collect(),
            created_at_ms: now,
            changed_at_ms: now,
            profile,
            mapping: None,
            mapping_is_saved_one: false,
            automations: false,
            state: ImportState::Draft,
            edits: Edits::default(),
            unchecked: Default::default(),
            checked: Json::Null,
            job: None,
        };
        if let Some(object) = object {
            self.suggest(caller, &mut session, object).await?;
        }
        let (core, file, written) = (Arc::clone(&self.core), file.to_owned(), session.clone());
        blocking("keeping an import", move || core.imports.create(&written, &file)).await??;
        Ok(session)
    }

    async fn profile(&self, file: PathBuf, options: ReadOptions) -> Result<Profile> {
        let limits = self.core.config.import;
        Ok(blocking("looking at a file", move || transfer::profile(&file, &options, &limits)).await??)
    }

    /// The mapping to begin with: the newest one that was saved for such a file, else what the columns' names say.
    async fn suggest(&self, caller: &Caller, session: &mut ImportSession, object: &ObjectName) -> Result<()> {
        let schema = self.core.records.schema();
        let saved = self.saved_mapping(&caller.scope, &schema, object, &session.profile).await?;
        session.mapping_is_saved_one = saved.is_some();
        session.mapping = Some(match saved {
            Some(saved) => saved,
            None => Mapping::suggested(object, &session.profile.header(), &schema)?,
        });
        (session.checked, session.unchecked) = (Json::Null, Default::default());
        Ok(())
    }

    async fn saved_mapping(
        &self,
        scope: &Scope,
        schema: &Schema,
        object: &ObjectName,
        profile: &Profile,
    ) -> Result<Option<MappingSpec>> {
        let Some(saved) = schema.object(SAVED) else { return Ok(None) };
        let Some(field) = saved.field("mapping").map(|field| field.id) else { return Ok(None) };
        let is = |field: &str, value: &str| {
            Filter::compare(field, Op::Eq, value).map_err(|error| trellis_records::Error::Query(error.text()))
        };
        let filter = is("header", &signature(profile))?.and(is("object", object.as_str())?);
        let query = Query { filter, limit: 10, ..Query::new(saved.name.clone()) };
        let page = self.core.records.list(scope, &query).await?;
        let read = |json: &Value| match json {
            Value::Json(json) => serde_json::from_value::<MappingSpec>(json.clone()).ok(),
            _ => None,
        };
        // One that does not fit the object any more is no help.
        let fits = |spec: &MappingSpec| {
            Mapping::new(spec, schema, &self.core.config.import, &self.core.transforms).is_ok()
        };
        Ok(page.records.iter().rev().filter_map(|record| read(record.fields.get(&field)?)).find(fits))
    }

    /// A prepared import.
    ///
    /// # Errors
    /// [`Error::UnknownImport`].
    pub async fn import_get(&self, id: RecordId) -> Result<ImportSession> {
        let core = Arc::clone(&self.core);
        blocking("reading an import", move || core.imports.read(id)).await?
    }

    /// The prepared imports of a user, the newest first.
    ///
    /// # Errors
    /// [`Error::File`].
    pub async fn import_list(&self, user: RecordId) -> Result<Vec<ImportSession>> {
        let core = Arc::clone(&self.core);
        let all = blocking("listing imports", move || core.imports.list()).await??;
        Ok(all.into_iter().filter(|session| RecordId::from(session.user) == user).collect())
    }

    /// Removes a prepared import with its file. What it has loaded stays.
    ///
    /// # Errors
    /// [`Error::UnknownImport`], [`Error::InvalidRequest`] while a job needs it.
    pub async fn import_remove(&self, id: RecordId) -> Result<()> {
        self.import_get(id).await?;
        self.refuse_in_use(id)?;
        let core = Arc::clone(&self.core);
        blocking("removing an import", move || core.imports.remove(id)).await?
    }

    /// Changes how an import is read and mapped.
    ///
    /// # Errors
    /// [`Error::UnknownImport`], [`Error::InvalidRequest`] where it was started, [`Error::Import`] where the mapping does not fit the
    /// object or the file.
    pub async fn import_change(
        &self,
        caller: &Caller,
        id: RecordId,
        change: ImportChange,
    ) -> Result<ImportSession> {
        let _changing = self.core.imports.changing.lock().await;
        let mut session = self.changeable(id).await?;
        if let Some(options) = change.options {
            session.profile = self.profile(self.core.imports.upload(id), options).await?;
            session.edits = Edits::default();
        }
        match (change.mapping, change.object) {
            (Some(mapping), _) => session.mapping = Some(mapping),
            (None, Some(object)) => {
                let unknown = || trellis_records::Error::UnknownObject { name: object.clone() };
                let object = ObjectName::new(&object).map_err(|_| unknown())?;
                self.suggest(caller, &mut session, &object).await?;
            }
            (None, None) => {}
        }
        if let Some(mapping) = &session.mapping {
            self.core.mapping(mapping, &session.profile)?;
        }
        session.automations = change.automations.unwrap_or(session.automations);
        (session.checked, session.unchecked) = (Json::Null, Default::default());
        self.save_session(session).await
    }

    /// Says what loading an import would do, as a job.
    ///
    /// # Errors
    /// As [`Engine::import_load`].
    pub async fn import_check(&self, caller: &Caller, id: RecordId) -> Result<Job> {
        let session = self.changeable(id).await?;
        self.start_prepared(caller, &session, true).await
    }

    /// Loads an import, as a job. Nothing about it can be changed from now on.
    ///
    /// # Errors
    /// [`Error::UnknownImport`], [`Error::InvalidRequest`] where it has no mapping or was started, [`Error::QueueFull`].
    pub async fn import_load(&self, caller: &Caller, id: RecordId) -> Result<Job> {
        let _changing = self.core.imports.changing.lock().await;
        let mut session = self.changeable(id).await?;
        let job = self.start_prepared(caller, &session, false).await?;
        session.state = ImportState::Started;
        session.job = Some(job.id.into());
        self.save_session(session).await?;
        Ok(job)
    }

    async fn start_prepared(&self, caller: &Caller, session: &ImportSession, rehearse: bool) -> Result<Job> {
        let mapping = session.mapping.as_ref().ok_or_else(|| Error::InvalidRequest {
            reason: "the import has no mapping yet: give it an `object`".to_owned(),
        })?;
        self.core.mapping(mapping, &session.profile)?;
        let import = RecordId::from(session.id);
        let request = Request::ImportPrepared {
            import: *import.as_bytes(),
            object: mapping.object.clone(),
            rehearse,
            unlimited: caller.scope == Scope::everything(),
        };
        self.jobs.create(self.new_id(), caller, request).await
    }

    /// A session that may be changed.
    pub(super) async fn changeable(&self, id: RecordId) -> Result<ImportSession> {
        let session = self.import_get(id).await?;
        if session.state == ImportState::Started {
            return Err(Error::InvalidRequest {
                reason: format!("import {id} was started: nothing about it changes any more"),
            });
        }
        self.refuse_in_use(id)?;
        Ok(session)
    }

    fn refuse_in_use(&self, id: RecordId) -> Result<()> {
        match self.jobs.of_import(id) {
            Some(job) => Err(Error::InvalidRequest {
                reason: format!("job {job} works on import {id}: wait for it or cancel it"),
            }),
            None => Ok(()),
        }
    }

    pub(super) async fn save_session(&self, mut session: ImportSession) -> Result<ImportSession> {
        session.changed_at_ms = self.core.records.clock().now_ms();
        let (core, written) = (Arc::clone(&self.core), session.clone());
        blocking("keeping an import", move || core.imports.write(&written)).await??;
        Ok(session)
    }
}

impl Core {
    /// A mapping that fits the object and the file, read as the profile says.
    pub(super) fn mapping(&self, spec: &MappingSpec, profile: &Profile) -> Result<Mapping> {
        let spec = MappingSpec { source: profile.options.clone(), ..spec.clone() };
        let mapping = Mapping::new(&spec, &self.records.schema(), &self.config.import, &self.transforms)?;
        mapping.check_header(&profile.header())?;
        Ok(mapping)
    }
}
