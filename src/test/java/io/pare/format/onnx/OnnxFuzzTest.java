package io.pare.format.onnx;

import io.pare.file.FormatException;
import io.pare.fuzz.Fuzz;
import io.pare.fuzz.Mutations;
import io.pare.net.CompressedWeights;
import io.pare.net.PrunedNets;
import io.pare.rewrite.BatchNormFolding;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Damaged ONNX files are read or refused in one line, soon, and in little memory. */
class OnnxFuzzTest {
    private static final Fuzz FUZZ = Fuzz.of("ONNX", Mutations.of(seeds()).withWords("Conv", "Add", "Sum", "Reshape",
            "Gather", "ConstantOfShape", "Expand", "Tile", "Range", "Slice", "Split", "Transpose", "Squeeze", "Where",
            "Pow",
            "ReduceSum", "Softmax", "CumSum", "OneHot", "Resize", "ConvTranspose", "DequantizeLinear", "Shape",
            "auto_pad", "SAME_LOWER", "value", "to", "axis"), OnnxFile::decode,
            FormatException.class);

    private static List<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>(OnnxImportTest.files());
        CompressedWeights residual = PrunedNets.of(PrunedNets.RESIDUAL, Map.of("conv5.weight", 90), 4, 0, 3);
        seeds.add(OnnxFile.encode(residual, OnnxWeights.FLOATS));
        seeds.add(OnnxFile.encode(residual, OnnxWeights.AS_THEY_ARE));
        seeds.add(OnnxFile.encode(BatchNormFolding.fold(residual), OnnxWeights.FLOATS));
        return seeds;
    }

    @Test
    void damagedFilesAreReadOrRefused() {
        FUZZ.run(10_000);
    }

    @Test
    @Tag("long")
    void manyDamagedFilesAreReadOrRefused() {
        FUZZ.runLong();
    }
}
