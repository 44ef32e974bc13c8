package io.pare.natives;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;

/**
 * Says whether another user could put something else where a path leads.
 *
 * <p>Code is loaded from a path some time after its digest was taken. Between the two nobody but this user and the
 * system's may be able to write the file, or to rename it, a folder above it, or a link on the way. So each of these
 * must belong to one of the two, and no other may write it; in a folder with the sticky bit, as {@code /tmp} is, others
 * can do nothing to what is not theirs.
 */
final class SafePath {
    private static final int WRITABLE_BY_OTHERS = 022;
    private static final int STICKY = 01000;
    private static final int MOST_LINKS = 40;

    private SafePath() {}

    /** Why a path is refused, and what its owner can do. */
    static final class Refused extends IOException {
        private static final long serialVersionUID = 1L;

        Refused(String message) {
            super(message);
        }
    }

    /**
     * Refuses {@code path} if another user could change where it leads. Parts that do not exist are not judged, nor is
     * anything on systems without Unix's owners and modes.
     *
     * @throws Refused in words that follow a colon
     */
    static void require(Path path) throws IOException {
        if (hasOwners(path)) {
            require(path, self());
        }
    }

    /**
     * Makes a folder that only this user may enter, where it is missing, and refuses it as {@link #require(Path)} does.
     * It asks the system's table of processes who this user is, because binding a C function takes 0.1 s.
     *
     * @return the folder; empty on systems without such a table
     */
    static Optional<Path> own(Path folder) throws IOException {
        Path process = Path.of("/proc/self");
        if (!hasOwners(folder) || !Files.isDirectory(process)) {
            return Optional.empty();
        }
        int self = (int) Files.getAttribute(process, "unix:uid");
        require(folder, self);
        Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(LibraryStore.OWNER_ONLY));
        require(folder, self);
        return Optional.of(folder);
    }

    private static void require(Path path, int self) throws IOException {
        Path real = path.toAbsolutePath().getRoot();
        List<Integer> trusted = List.of(self, owner(real));
        Deque<Path> ahead = new ArrayDeque<>();
        push(path.toAbsolutePath(), ahead);
        int links = 0;
        while (!ahead.isEmpty()) {
            Path part = ahead.pop();
            Path next = part.toString().equals("..") && real.getParent() != null
                    ? real.getParent()
                    : real.resolve(part).normalize();
            if (!Files.exists(next, LinkOption.NOFOLLOW_LINKS)) {
                return;
            }
            Map<String, Object> found = attributes(next);
            if (!trusted.contains((int) found.get("uid"))) {
                throw new Refused(next + " belongs to user " + found.get("uid")
                        + ", who could replace what is loaded: use a folder of your own");
            }
            if ((boolean) found.get("isSymbolicLink")) {
                if (++links > MOST_LINKS) {
                    throw new Refused(path + " goes round in links");
                }
                Path target = Files.readSymbolicLink(next);
                real = target.isAbsolute() ? target.getRoot() : real;
                push(target, ahead);
                continue;
            }
            int mode = (int) found.get("mode");
            boolean sticky = (boolean) found.get("isDirectory") && (mode & STICKY) != 0;
            if ((mode & WRITABLE_BY_OTHERS) != 0 && !sticky) {
                throw new Refused("other users may write " + next + ": run chmod go-w on it");
            }
            real = next;
        }
    }

    /** Whether {@code path}, no link, belongs to this user, and others may write it. */
    static boolean isOwnAndOpen(Path path) throws IOException {
        if (!hasOwners(path)) {
            return false;
        }
        Map<String, Object> found = attributes(path);
        return !(boolean) found.get("isSymbolicLink") && (int) found.get("uid") == self()
                && ((int) found.get("mode") & WRITABLE_BY_OTHERS) != 0;
    }

    private static boolean hasOwners(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("unix");
    }

    private static Map<String, Object> attributes(Path path) throws IOException {
        return Files.readAttributes(path, "unix:uid,mode,isSymbolicLink,isDirectory", LinkOption.NOFOLLOW_LINKS);
    }

    private static int owner(Path path) throws IOException {
        return (int) attributes(path).get("uid");
    }

    private static void push(Path path, Deque<Path> ahead) {
        List<Path> parts = StreamSupport.stream(path.spliterator(), false).toList();
        parts.reversed().forEach(ahead::push);
    }

    @SuppressWarnings("restricted")
    private static int self() {
        Linker linker = Linker.nativeLinker();
        try {
            return (int) linker.downcallHandle(linker.defaultLookup().findOrThrow("geteuid"),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT)).invokeExact();
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
