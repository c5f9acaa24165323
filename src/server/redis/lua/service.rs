//! What scripts ask for while they run.

/// What a script asks of the door while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// `redis.call`.
    Call,
    /// `redis.pcall`.
    ProtectedCall,
    /// `redis.acl_check_cmd`.
    AclCheck,
    /// That other clients are looked at: it has been running for long.
    Watch,
}

impl Service {
    /// Each, at the place of its number.
    pub(crate) const ALL: [Self; 4] = [Self::Call, Self::ProtectedCall, Self::AclCheck, Self::Watch];

    /// How many there are.
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// What it is through Lua. With [`Service::COUNT`] added, the words come in a table, behind how many there are.
    pub(crate) fn number(self) -> usize {
        Self::ALL.iter().position(|service| *service == self).unwrap_or(0)
    }
}
