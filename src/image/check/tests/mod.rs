//! A good layout has no problem; each way to break one is found, and nothing else with it.

mod documents;
mod fixture;
mod foreign;
mod layers;
