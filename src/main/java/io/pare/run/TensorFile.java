package io.pare.run;

import io.pare.file.FormatException;
import io.pare.format.npy.NpyFile;
import io.pare.format.npy.NpzFile;
import io.pare.format.onnx.OnnxConstant;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.tensors.StoredTensors;
import io.pare.format.tensors.ZipArchive;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Tensors in files for a {@link ModelRun}: arrays of NumPy, and messages TensorProto of ONNX, each known by its content.
 *
 * <p>Integers are read as they are, floating-point numbers as the nearest floats.
 */
public final class TensorFile {
    /** What the only tensor of a file is called by {@link #readAll}. */
    public static final String UNNAMED = "";

    private static final int SNIFFED_BYTES = 8;
    /** File systems take 255 letters, the ending among them. */
    private static final int MOST_LETTERS = 200;

    private TensorFile() {}

    /**
     * {@return the only tensor of a file, or that of a name in a .npz file}
     *
     * @param file .npy, .npz or .pb
     * @param name of an array in a .npz file, or {@code null}
     * @throws FormatException if there is none
     * @throws IOException if the file cannot be read
     */
    public static OnnxConstant read(Path file, @Nullable String name) throws IOException {
        byte[] start = start(file);
        if (ZipArchive.is(start)) {
            try (StoredTensors arrays = NpzFile.open(file)) {
                return tensor(arrays, name);
            }
        }
        if (NpyFile.is(start)) {
            try (StoredTensors array = NpyFile.open(file)) {
                return tensor(array, NpyFile.ARRAY);
            }
        }
        try {
            return OnnxFile.tensor(file);
        } catch (FormatException e) {
            throw new FormatException(file + " is no tensor (.npy, .npz or .pb): " + e.getMessage(), e);
        }
    }

    /**
     * {@return all tensors of a .npz file, by name; of another file the only one, as {@link #UNNAMED}}
     *
     * @param file as of {@link #read}
     * @throws FormatException if there is none
     * @throws IOException if the file cannot be read
     */
    public static Map<String, OnnxConstant> readAll(Path file) throws IOException {
        if (!ZipArchive.is(start(file))) {
            return Map.of(UNNAMED, read(file, UNNAMED));
        }
        try (StoredTensors arrays = NpzFile.open(file)) {
            Map<String, OnnxConstant> all = new LinkedHashMap<>();
            for (String name : arrays.names()) {
                all.put(name, tensor(arrays, name));
            }
            return all;
        }
    }

    private static byte[] start(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new RunException(file + (Files.exists(file) ? " is no file" : " does not exist"));
        }
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(SNIFFED_BYTES);
        }
    }

    private static OnnxConstant tensor(StoredTensors tensors, String name) throws IOException {
        long[] shape = tensors.shape(name);
        if (tensors.type(name).isFloat()) {
            try (Region region = Region.confined("tensor " + name)) {
                return OnnxConstant.of(tensors.floats(name, region).toArray(), shape);
            }
        }
        OnnxConstant vector = OnnxConstant.of(tensors.longs(name));
        return new OnnxConstant(vector.type(), shape, vector.data());
    }

    /**
     * Writes tensors as .npy files of floats, named by what they are called.
     *
     * @param folder made if it does not exist
     * @param tensors by name
     * @return the files by name
     * @throws IOException if a file cannot be written
     */
    public static Map<String, Path> write(Path folder, Map<String, OnnxConstant> tensors) throws IOException {
        Files.createDirectories(folder);
        Map<String, Path> files = new LinkedHashMap<>();
        for (Map.Entry<String, OnnxConstant> tensor : tensors.entrySet()) {
            // Names in ONNX are any text: paths for instance.
            String plain = tensor.getKey().replaceAll("[^A-Za-z0-9._-]", "_");
            String name = plain.substring(0, Math.min(MOST_LETTERS, plain.length()));
            Path file = folder.resolve(name + ".npy");
            for (int i = 1; files.containsValue(file); i++) {
                file = folder.resolve(name + "_" + i + ".npy");
            }
            try (Region region = Region.confined("tensor " + name)) {
                FloatTensor values = region.tensor(tensor.getValue().shape()).copyFrom(tensor.getValue().decimals());
                NpyFile.write(file, values);
            }
            files.put(tensor.getKey(), file);
        }
        return files;
    }
}
