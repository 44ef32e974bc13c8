package io.pare.format.tensors;

import io.pare.file.FormatException;
import io.pare.mem.Heap;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * An open ZIP file, of which nobody need believe how large its entries are: what an entry declares is refused where its
 * packed bytes cannot hold it. Not thread-safe.
 */
public final class ZipArchive implements AutoCloseable {
    /** Deflate packs up to 258 bytes into 2 bits. */
    private static final long MOST_PACKED = 1032;

    private final ZipFile file;
    private final long bytes;

    private ZipArchive(ZipFile file, long bytes) {
        this.file = file;
        this.bytes = bytes;
    }

    /**
     * {@return whether a file with these first bytes is one}
     *
     * @param start of a file
     */
    public static boolean is(byte[] start) {
        return start.length >= 4 && start[0] == 'P' && start[1] == 'K' && start[2] == 3 && start[3] == 4;
    }

    /**
     * Opens a file and reads its directory.
     *
     * @param path of the file
     * @return the open archive, which the caller closes
     * @throws FormatException without the file's name if it is none, or too large for the heap: a directory may fill the
     *     whole file
     * @throws IOException if the file cannot be read
     */
    public static ZipArchive open(Path path) throws IOException {
        long bytes = Files.size(path);
        long most = 2 * bytes;
        if (!Heap.holds(most)) {
            throw new FormatException("reading it " + Heap.shortage(most));
        }
        try {
            return new ZipArchive(new ZipFile(path.toFile()), bytes);
        } catch (ZipException | EOFException e) {
            throw damaged(e);
        }
    }

    /** {@return names of the entries, in the directory's order} */
    public List<String> names() {
        return file.stream().map(ZipEntry::getName).toList();
    }

    /**
     * {@return whether there is an entry of that name}
     *
     * @param name any text
     */
    public boolean contains(String name) {
        return file.getEntry(name) != null;
    }

    /**
     * {@return a whole entry; {@link FormatException} if it is larger than {@code limit} or damaged}
     *
     * @param name of an entry
     * @param limit the most bytes that it may have
     * @throws IOException if the file cannot be read
     */
    public byte[] bytes(String name, int limit) throws IOException {
        ByteSource source = source(name);
        if (source.size() > limit) {
            throw new FormatException("its entry " + name + " of " + source.size() + " bytes is larger than " + limit);
        }
        if (!Heap.holds(source.size())) {
            throw new FormatException("its entry " + name + " " + Heap.shortage(source.size()));
        }
        byte[] bytes = new byte[(int) source.size()];
        source.read(0, bytes);
        return bytes;
    }

    /**
     * {@return an entry of the archive; its checksum is checked where it is read as a whole}
     *
     * @param name of an entry
     */
    public ByteSource source(String name) {
        ZipEntry entry = file.getEntry(name);
        if (entry == null) {
            throw new FormatException("it lacks the entry " + name + ": copy or download the file again");
        }
        long packed = Math.min(bytes, entry.getCompressedSize());
        if (entry.getSize() < 0 || entry.getSize() / MOST_PACKED > packed) {
            throw new FormatException("its entry " + name + " declares " + entry.getSize() + " bytes, more than "
                    + packed + " packed ones can hold");
        }
        return new Entry(file, entry);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    private static FormatException damaged(IOException e) {
        return new FormatException("damaged ZIP file" + (e.getMessage() == null ? "" : " (" + e.getMessage() + ")")
                + ": copy or download it again", e);
    }

    private record Entry(ZipFile file, ZipEntry entry) implements ByteSource {
        @Override
        public long size() {
            return entry.getSize();
        }

        @Override
        public void read(long at, byte[] into) throws IOException {
            try (InputStream in = file.getInputStream(entry)) {
                in.skipNBytes(at);
                int got = in.readNBytes(into, 0, into.length);
                if (got < into.length) {
                    throw new EOFException("entry " + entry.getName() + " ends early");
                }
            } catch (ZipException | EOFException e) {
                throw damaged(e);
            }
            if (at == 0 && into.length == entry.getSize()) {
                CRC32 sum = new CRC32();
                sum.update(into);
                if (sum.getValue() != entry.getCrc()) {
                    throw new FormatException("its entry " + entry.getName()
                            + " has another checksum than the file says: copy or download it again");
                }
            }
        }
    }
}
