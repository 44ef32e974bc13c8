package io.pare.cli;

import io.pare.Pare;
import io.pare.blas.Blas;
import io.pare.dnnl.DnnlEngine;
import io.pare.kernel.KernelProvider;
import io.pare.natives.Natives;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What computes here, for reports.
 *
 * @param onednn version, or "off"
 * @param openblas version, or "off"
 * @param isa the instruction set for which oneDNN generates code, or the machine's architecture without it
 * @param kernels the kernels of Pare's own in use
 */
record Machine(String jdk, String onednn, String openblas, String isa, String kernels) {
    /** Loads the native libraries unless they are off. */
    static Machine current() {
        String kernels = KernelProvider.active().name();
        String jdk = Runtime.version().toString();
        if (!Natives.enabled()) {
            return new Machine(jdk, "off", "off", System.getProperty("os.arch"), kernels);
        }
        return new Machine(jdk, DnnlEngine.get().version(), openblasVersion(), DnnlEngine.get().isa(), kernels);
    }

    /** The fields that every report has. */
    Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("version", Pare.version());
        fields.put("commit", Pare.commit());
        fields.put("jdk", jdk);
        fields.put("onednn", onednn);
        fields.put("openblas", openblas);
        fields.put("isa", isa);
        fields.put("kernels", kernels);
        return fields;
    }

    /** "0.3.31" out of "OpenBLAS 0.3.31 DYNAMIC_ARCH ...". */
    private static String openblasVersion() {
        String[] words = Blas.config().trim().split("\\s+");
        return words.length > 1 ? words[1] : words[0];
    }

    @Override
    public String toString() {
        return kernels + " kernels, " + (onednn.equals("off")
                ? "no native libraries"
                : "oneDNN " + onednn + " (" + isa + "), OpenBLAS " + openblas);
    }
}
