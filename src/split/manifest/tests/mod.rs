mod canonical;
mod development;
mod inheritance;
mod root;
mod world;
