//! One detector, one file, one page: a fold over the ledger.
