/**
 * Files that survive a crash: atomic replacement, folder locks, bounded reading of text, and checks of names.
 *
 * <p>{@link io.pare.file.AtomicFile} writes a file whole or not at all. {@link io.pare.file.FolderLock} keeps a second
 * process out of a run's folder.
 *
 * <p>Public. Begin with {@link io.pare.file.FormatException} and {@link io.pare.file.FileException}, which other packages
 * throw. The rest is made for these rather than for programs that embed Pare.
 *
 * <p>May use nothing else of Pare.
 */
@NullMarked
package io.pare.file;

import org.jspecify.annotations.NullMarked;
