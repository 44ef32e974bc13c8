package io.pare.natives;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * The per-user folder into which the libraries of the natives jar are extracted, once per set of digests.
 *
 * <p>A file appears under its final name only when it is complete, by an atomic rename; so any number of processes may
 * extract at the same time, and a killed one leaves nothing that another would load. Each file's digest is checked each
 * time before it is loaded; that nobody changes it in between follows from {@link SafePath}, which the folder must pass.
 */
final class LibraryStore {
    static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");

    /** Opens a resource by name; null where there is none. */
    @FunctionalInterface
    interface Carrier {
        InputStream open(String resource) throws IOException;
    }

    private final Path cache;
    private final String platform;
    private final Path folder;
    private final Carrier carrier;

    /**
     * @param cache the user's cache folder for this program
     * @param platform the platform's name
     * @param files all libraries of the platform: their digests name the folder
     * @param carrier the jars
     */
    LibraryStore(Path cache, String platform, List<LibraryFile> files, Carrier carrier) {
        MessageDigest digest = sha256();
        for (LibraryFile file : files) {
            digest.update((file.fileName() + " " + file.sha256() + "\n").getBytes(StandardCharsets.UTF_8));
        }
        String key = HexFormat.of().formatHex(digest.digest()).substring(0, 16);
        this.cache = cache;
        this.platform = platform;
        this.folder = cache.resolve("native").resolve(platform + "-" + key);
        this.carrier = carrier;
    }

    Path folder() {
        return folder;
    }

    /**
     * Whether the cache holds {@code file} with the right content, which stays until it is loaded.
     *
     * @throws SafePath.Refused if another user could change it
     */
    boolean holds(LibraryFile file) throws IOException {
        Path path = folder.resolve(file.fileName());
        if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        secure();
        return isSafe(path) && Files.size(path) == file.bytes() && digestOf(path).equals(file.sha256());
    }

    /**
     * Takes {@code file} from its carrier into the cache, replacing whatever is there.
     *
     * @throws SafePath.Refused if another user could change it
     */
    Path extract(LibraryFile file) throws IOException {
        SafePath.require(cache);
        if (hasModes()) {
            Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        } else {
            Files.createDirectories(folder);
        }
        secure();
        Path target = folder.resolve(file.fileName());
        Path partial = folder.resolve(file.fileName() + "." + UUID.randomUUID() + ".part");
        try (InputStream in = carrier.open(file.resource())) {
            if (in == null) {
                throw new IOException("no " + file.resource() + " on the class path: add io.pare:pare-engine with the"
                        + " classifier natives-" + platform + ", or set -Dpare.native.path");
            }
            String found = copy(in, partial);
            if (!found.equals(file.sha256())) {
                throw new IOException(file.resource() + " on the class path has SHA-256 " + found + ", this version"
                        + " was built for " + file.sha256() + ": use the jar natives-" + platform + " of this version");
            }
            move(partial, target);
        } finally {
            Files.deleteIfExists(partial);
        }
        return target;
    }

    /** Removes a file that is not what it should be; another process may have done so already. */
    void discard(LibraryFile file) throws IOException {
        Files.deleteIfExists(folder.resolve(file.fileName()));
    }

    boolean exists(LibraryFile file) {
        return Files.exists(folder.resolve(file.fileName()), LinkOption.NOFOLLOW_LINKS);
    }

    /** Closes to others what is this class's own below the cache, an umask may have left it open, and checks the rest. */
    private void secure() throws IOException {
        SafePath.require(cache);
        for (Path own : List.of(folder.getParent(), folder)) {
            if (SafePath.isOwnAndOpen(own)) {
                Files.setPosixFilePermissions(own, OWNER_ONLY);
            }
        }
        SafePath.require(folder);
    }

    private static boolean isSafe(Path file) throws IOException {
        try {
            SafePath.require(file);
            return true;
        } catch (SafePath.Refused e) {
            // In a safe folder it can be replaced.
            return false;
        }
    }

    private boolean hasModes() {
        return cache.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            throw new IOException("the cache folder's file system cannot rename atomically: choose another by"
                    + " -Dpare.cache", e);
        }
    }

    private static String copy(InputStream in, Path to) throws IOException {
        MessageDigest digest = sha256();
        byte[] buffer = new byte[1 << 20];
        try (InputStream source = new BufferedInputStream(in, 1 << 16);
                OutputStream out = Files.newOutputStream(to, StandardOpenOption.CREATE_NEW)) {
            for (int n = source.read(buffer); n >= 0; n = source.read(buffer)) {
                digest.update(buffer, 0, n);
                out.write(buffer, 0, n);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static String digestOf(Path path) throws IOException {
        MessageDigest digest = sha256();
        ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            while (channel.read(buffer) >= 0) {
                digest.update(buffer.flip());
                buffer.clear();
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
