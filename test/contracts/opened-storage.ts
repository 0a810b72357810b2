/** A storage as the contract suites get it: fresh for each test, closed after it, with its clock in the test's hand. */
import type { Storage } from "../../src/storage/storage.ts";

export interface OpenedStorage extends Disposable {
  readonly storage: Storage;
  /** Moves the clock of the storage. */
  setNow(now: number): void;
}

export type OpenStorage = () => OpenedStorage;
