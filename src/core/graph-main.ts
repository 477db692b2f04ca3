// The first module of every graph; see generation.ts.
export {};
