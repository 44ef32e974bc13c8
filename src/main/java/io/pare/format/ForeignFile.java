package io.pare.format;

import io.pare.format.npy.NpyFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Networks in files that Pare does not read, and what turns them into files that it reads. */
enum ForeignFile {
    /** A pickle of something else than PyTorch's, or a file whose name only says that it is one. */
    PYTORCH("Python that is no state dict of PyTorch, or damaged", "in Python, save one by"
            + " torch.save(model.state_dict(), 'x.pth'), or the model by torch.onnx.export(model, input, 'x.onnx')",
            "pt",
            "pth", "th", "ckpt", "pkl", "pickle"),
    KERAS("Keras or HDF5", "convert it by python -m tf2onnx.convert --keras FILE --output x.onnx", "h5", "hdf5",
            "keras"),
    TFLITE("TensorFlow Lite", "convert it by python -m tf2onnx.convert --tflite FILE --output x.onnx", "tflite"),
    TENSORFLOW("TensorFlow", "convert its folder by python -m tf2onnx.convert --saved-model FOLDER --output x.onnx,"
            + " or a frozen graph by --graphdef FILE --inputs NAMES --outputs NAMES", "pb"),
    /** One array without a name; those with names are read. */
    NUMPY("NumPy that is no archive of arrays by name", "in Python, write one by numpy.savez('x.npz', **arrays)", "npz",
            "npy");

    private final String program;
    private final String remedy;
    private final List<String> endings;

    ForeignFile(String program, String remedy, String... endings) {
        this.program = program;
        this.remedy = remedy;
        this.endings = List.of(endings);
    }

    /** The kind that a file's first bytes show, else the one by which its name ends; null for others. */
    static ForeignFile of(byte[] first, Path path) {
        String start = new String(first, StandardCharsets.ISO_8859_1);
        if (start.startsWith("\u0089HDF")) {
            return KERAS;
        }
        if (start.startsWith("TFL3", 4)) {
            return TFLITE;
        }
        if (NpyFile.is(first)) {
            return NUMPY;
        }
        ForeignFile named = byEnding(path);
        return named == null && start.startsWith("\u0080") ? PYTORCH : named;
    }

    private static ForeignFile byEnding(Path path) {
        String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
        String ending = name.substring(name.lastIndexOf('.') + 1);
        for (ForeignFile file : values()) {
            if (file.endings.contains(ending)) {
                return file;
            }
        }
        return null;
    }

    /** Why it is refused and what to do, to follow the file's name. */
    String advice() {
        return "a file of " + program + ", which Pare does not read: " + remedy;
    }
}
