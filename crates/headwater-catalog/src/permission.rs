//! Permissions: what they are, how they print and which one grants which (`spec/auth.md` §5).
//! Pure.

use std::{fmt, str::FromStr};

use headwater_model::Id;

use crate::{Error, Result};

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Read,
    Write,
}

impl Action {
    /// The name in JSON and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl FromStr for Action {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            _ => Err(Error::ActionUnknown),
        }
    }
}

/// The kinds of resource a permission can name, in the reference's order. Most exist only so that
/// tokens made for the reference's other features are accepted and shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceType {
    Authorizations,
    Buckets,
    Dashboards,
    Orgs,
    Sources,
    Tasks,
    Telegrafs,
    Users,
    Variables,
    Scrapers,
    Secrets,
    Labels,
    Views,
    Documents,
    NotificationRules,
    NotificationEndpoints,
    Checks,
    Dbrp,
    Notebooks,
    Annotations,
    Remotes,
    Replications,
    /// Everything: a permission on it grants the action on every resource.
    Instance,
}

impl ResourceType {
    /// All of them, [`ResourceType::Instance`] last.
    pub const ALL: [Self; 23] = [
        Self::Authorizations,
        Self::Buckets,
        Self::Dashboards,
        Self::Orgs,
        Self::Sources,
        Self::Tasks,
        Self::Telegrafs,
        Self::Users,
        Self::Variables,
        Self::Scrapers,
        Self::Secrets,
        Self::Labels,
        Self::Views,
        Self::Documents,
        Self::NotificationRules,
        Self::NotificationEndpoints,
        Self::Checks,
        Self::Dbrp,
        Self::Notebooks,
        Self::Annotations,
        Self::Remotes,
        Self::Replications,
        Self::Instance,
    ];

    /// The name in JSON and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Authorizations => "authorizations",
            Self::Buckets => "buckets",
            Self::Dashboards => "dashboards",
            Self::Orgs => "orgs",
            Self::Sources => "sources",
            Self::Tasks => "tasks",
            Self::Telegrafs => "telegrafs",
            Self::Users => "users",
            Self::Variables => "variables",
            Self::Scrapers => "scrapers",
            Self::Secrets => "secrets",
            Self::Labels => "labels",
            Self::Views => "views",
            Self::Documents => "documents",
            Self::NotificationRules => "notificationRules",
            Self::NotificationEndpoints => "notificationEndpoints",
            Self::Checks => "checks",
            Self::Dbrp => "dbrp",
            Self::Notebooks => "notebooks",
            Self::Annotations => "annotations",
            Self::Remotes => "remotes",
            Self::Replications => "replications",
            Self::Instance => "instance",
        }
    }
}

impl FromStr for ResourceType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or(Error::ResourceTypeUnknown)
    }
}

/// An action on a resource, on the resources of an organization, or on all of a type.
///
/// Prints as `action:orgs/<org>/<type>/<id>`, without the parts it does not have, and parses from
/// that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Permission {
    pub action: Action,
    pub resource_type: ResourceType,
    pub id: Option<Id>,
    pub org_id: Option<Id>,
}

impl Permission {
    /// On every resource of a type.
    pub fn new(action: Action, resource_type: ResourceType) -> Self {
        Self {
            action,
            resource_type,
            id: None,
            org_id: None,
        }
    }

    /// Narrowed to one resource.
    pub fn on(self, id: Id) -> Self {
        Self {
            id: Some(id),
            ..self
        }
    }

    /// Narrowed to one organization.
    pub fn within(self, organization: Id) -> Self {
        Self {
            org_id: Some(organization),
            ..self
        }
    }

    /// On one bucket of an organization.
    pub fn bucket(action: Action, organization: Id, bucket: Id) -> Self {
        Self::new(action, ResourceType::Buckets)
            .within(organization)
            .on(bucket)
    }

    /// Read and write on every type except `instance`, everywhere: the operator token's.
    pub fn operator() -> Vec<Self> {
        Self::of_each_type(|permission| permission)
    }

    /// Read and write on everything of one organization: an all-access token's.
    pub fn all_access(organization: Id) -> Vec<Self> {
        Self::of_each_type(|permission| match permission.resource_type {
            ResourceType::Orgs => permission.on(organization),
            _ => permission.within(organization),
        })
    }

    /// What every user may do with the own record.
    pub fn of_user(user: Id) -> Vec<Self> {
        [Action::Read, Action::Write]
            .map(|action| Self::new(action, ResourceType::Users).on(user))
            .to_vec()
    }

    /// Whether holding `self` grants `needed`.
    pub fn grants(&self, needed: &Self) -> bool {
        if self.action != needed.action {
            return false;
        }
        if self.resource_type == ResourceType::Instance {
            return true;
        }
        if self.resource_type != needed.resource_type {
            return false;
        }
        match (self.id, self.org_id) {
            (None, None) => true,
            (None, Some(organization)) => needed.org_id == Some(organization),
            (Some(id), _) => needed.id == Some(id),
        }
    }

    fn of_each_type(narrow: impl Fn(Self) -> Self) -> Vec<Self> {
        ResourceType::ALL
            .into_iter()
            .filter(|kind| *kind != ResourceType::Instance)
            .flat_map(|kind| [Action::Read, Action::Write].map(|action| Self::new(action, kind)))
            .map(narrow)
            .collect()
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.action.name())?;
        if let Some(organization) = self.org_id {
            write!(f, "orgs/{organization}/")?;
        }
        f.write_str(self.resource_type.name())?;
        if let Some(id) = self.id {
            write!(f, "/{id}")?;
        }
        Ok(())
    }
}

impl FromStr for Permission {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (action, path) = text.split_once(':').ok_or(Error::ActionUnknown)?;
        let action = action.parse()?;
        let id = |text: &str| text.parse::<Id>().map_err(|_| Error::ResourceTypeUnknown);
        // Three and four parts begin with an organization, one and two do not: `orgs/<id>` is
        // therefore a permission on an organization.
        let parts: Vec<&str> = path.split('/').collect();
        let permission = |kind: &str| Ok::<_, Error>(Self::new(action, kind.parse()?));
        match parts[..] {
            [kind] => permission(kind),
            [kind, one] => Ok(permission(kind)?.on(id(one)?)),
            ["orgs", organization, kind] => Ok(permission(kind)?.within(id(organization)?)),
            ["orgs", organization, kind, one] => {
                Ok(permission(kind)?.within(id(organization)?).on(id(one)?))
            }
            _ => Err(Error::ResourceTypeUnknown),
        }
    }
}

#[cfg(test)]
mod tests;
