package io.pare.format.npy;

import io.pare.file.AtomicFile;
import io.pare.file.FormatException;
import io.pare.format.tensors.StoredTensor;
import io.pare.format.tensors.StoredTensors;
import io.pare.format.tensors.ZipArchive;
import io.pare.mem.FloatTensor;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Arrays by name in a .npz file of NumPy: a ZIP archive, packed or not, of .npy files. */
public final class NpzFile {
    private static final String ENDING = ".npy";
    /** A ZIP archive must date its entries; one date gives the same arrays the same bytes. */
    private static final LocalDateTime DATE = LocalDateTime.of(1980, 1, 1, 0, 0);

    private NpzFile() {}

    /**
     * {@return whether an archive is one: it has arrays and nothing else}
     *
     * @param archive any archive
     */
    public static boolean isIn(ZipArchive archive) {
        return !archive.names().isEmpty() && archive.names().stream().allMatch(name -> name.endsWith(ENDING));
    }

    /**
     * Opens a file and reads the header of each array.
     *
     * @param path of the file
     * @return the open file, which the caller closes
     * @throws IOException if the file cannot be read
     */
    public static StoredTensors open(Path path) throws IOException {
        try {
            ZipArchive archive = ZipArchive.open(path);
            try {
                Map<String, StoredTensor> arrays = new LinkedHashMap<>();
                for (String entry : archive.names()) {
                    if (entry.endsWith(ENDING)) {
                        arrays.put(entry.substring(0, entry.length() - ENDING.length()), array(archive, entry));
                    }
                }
                return new StoredTensors(path, arrays, archive::close);
            } catch (IOException | RuntimeException e) {
                archive.close();
                throw e;
            }
        } catch (FormatException e) {
            throw new FormatException(path + ": " + e.getMessage(), e);
        }
    }

    private static StoredTensor array(ZipArchive archive, String entry) throws IOException {
        try {
            return NpyHeader.read(archive.source(entry));
        } catch (FormatException e) {
            throw new FormatException("entry " + entry + ": " + e.getMessage(), e);
        }
    }

    /**
     * Writes arrays by name, not packed, in their order: the whole file or nothing, see {@link AtomicFile}.
     *
     * @param path of the file
     * @param arrays by name, without {@code .npy}
     */
    public static void write(Path path, Map<String, FloatTensor> arrays) {
        AtomicFile.write(path, channel -> {
            ZipOutputStream zip = new ZipOutputStream(Channels.newOutputStream(channel));
            zip.setLevel(0);
            for (Map.Entry<String, FloatTensor> array : arrays.entrySet()) {
                ZipEntry entry = new ZipEntry(array.getKey() + ENDING);
                entry.setTimeLocal(DATE);
                zip.putNextEntry(entry);
                NpyFile.write(zip, array.getValue());
                zip.closeEntry();
            }
            zip.finish();
        });
    }
}
