//! What the centre knows of institutions, sites, terminals and classes: a projection of the ledger's facts.
