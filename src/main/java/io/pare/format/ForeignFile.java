package io.pare.format;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Networks in files that Pare does not read, and what turns them into files that it reads. */
enum ForeignFile {
    /** A zip or a pickle. */
    PYTORCH("PyTorch", "in Python, write its state_dict by safetensors.torch.save_file(state_dict,"
            + " 'x.safetensors') or the model by torch.onnx.export(model, input, 'x.onnx')", "pt", "pth", "th", "ckpt"),
    KERAS("Keras or HDF5", "convert it by python -m tf2onnx.convert --keras FILE --output x.onnx", "h5", "hdf5",
            "keras"),
    TFLITE("TensorFlow Lite", "convert it by python -m tf2onnx.convert --tflite FILE --output x.onnx", "tflite"),
    TENSORFLOW("TensorFlow", "convert its folder by python -m tf2onnx.convert --saved-model FOLDER --output x.onnx,"
            + " or a frozen graph by --graphdef FILE --inputs NAMES --outputs NAMES", "pb"),
    NUMPY("NumPy", "in Python, write its arrays by safetensors.numpy.save_file(dict(numpy.load(FILE)),"
            + " 'x.safetensors')", "npz", "npy");

    private static final String ZIP = "PK\3\4";

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
        if (start.startsWith("\u0093NUMPY")) {
            return NUMPY;
        }
        ForeignFile named = byEnding(path);
        boolean pickled = start.startsWith("\u0080\2");
        return named == null && (start.startsWith(ZIP) || pickled) ? PYTORCH : named;
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
