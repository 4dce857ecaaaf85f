/**
 * Writes a file so that after a crash, a full disk or a kill there is either the old file or the whole new
 * one: temporary file in the same folder, fsync, rename over the target, fsync of the folder. What the bytes
 * mean is the caller's business.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ThalwegError } from "../errors.js";

/** What can be written: text (as UTF-8), bytes, or pieces of bytes that follow each other. */
export type FileContent = string | Uint8Array | Iterable<Uint8Array>;

/**
 * Writes `content` to `path`, replacing the file (or the symbolic link) of that name only once everything is
 * on the disk. On any failure the temporary file is removed and the old file is untouched.
 *
 * @throws ThalwegError `ERR_WRITE`, with the system's error as `cause`.
 */
export async function writeFileAtomic(path: string, content: FileContent): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    const file = await open(temporary, "wx");
    try {
      for (const piece of pieces(content)) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw writeError("writeFileAtomic", path, error);
  }
  if (!CAN_SYNC_FOLDERS) return;
  try {
    const folder = await open(dirname(path), "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    throw writeError("writeFileAtomic", path, error);
  }
}

/** `writeFileAtomic`, returning only when all is on the disk. */
export function writeFileAtomicSync(path: string, content: FileContent): void {
  const temporary = temporaryPath(path);
  try {
    const file = openSync(temporary, "wx");
    try {
      for (const piece of pieces(content)) writeFileSync(file, piece);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw writeError("writeFileAtomicSync", path, error);
  }
  if (!CAN_SYNC_FOLDERS) return;
  try {
    const folder = openSync(dirname(path), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    throw writeError("writeFileAtomicSync", path, error);
  }
}

// Windows opens no folders as files; there a rename is made durable by the file system's journal.
const CAN_SYNC_FOLDERS = process.platform !== "win32";

/**
 * A name beside the target that no other process, thread or call uses; the rename must not cross a file
 * system.
 */
function temporaryPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
}

function pieces(content: FileContent): Iterable<string | Uint8Array> {
  return typeof content === "string" || content instanceof Uint8Array ? [content] : content;
}

function writeError(operation: string, path: string, cause: unknown): ThalwegError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ThalwegError("ERR_WRITE", `${operation}: cannot write ${path}: ${reason}`, { cause });
}
