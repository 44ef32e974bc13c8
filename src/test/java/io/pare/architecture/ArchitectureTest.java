package io.pare.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.classfile.AccessFlags;
import java.lang.classfile.AttributedElement;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.FieldModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.attribute.CodeAttribute;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.MethodTypeEntry;
import java.lang.classfile.constantpool.NameAndTypeEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.reflect.AccessFlag;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The rules about who may use whom, read from the class files and sources of this build. */
class ArchitectureTest {
    private static final Path CLASSES = Path.of("target/classes");
    private static final String VECTOR = "jdk.incubator.vector";
    private static final int JAVA_8 = 52;
    private static final int JAVA_25 = 69;

    /** For each package, the packages of Pare that it may use besides itself. Arrows point down. */
    private static final Map<String, Set<String>> ALLOWED = Map.ofEntries(
            Map.entry("", Set.of("blas", "dnnl", "kernel", "natives", "mpi", "mem")),
            Map.entry("cli",
                    Set.of("", "cli.sweep", "run", "report", "compress", "compress.constraint", "compress.stage",
                            "compress.recipe", "infer", "train", "rewrite", "format", "format.pare", "format.onnx",
                            "format.npy", "text",
                            "descent", "net", "data", "exec.backend", "dnnl", "blas", "natives", "mpi", "kernel", "mem",
                            "file")),
            Map.entry("run",
                    Set.of("compress", "compress.constraint", "compress.stage", "compress.recipe", "infer", "train",
                            "rewrite", "format",
                            "format.pare", "format.safetensors", "format.npy", "format.onnx", "format.tensors",
                            "format.yaml", "text", "descent", "net", "data", "exec.backend", "kernel", "natives", "mpi",
                            "mem",
                            "file")),
            Map.entry("cli.sweep", Set.of("report", "format.yaml", "file")),
            Map.entry("report", Set.of("format.protobuf", "file")),
            Map.entry("compress.recipe",
                    Set.of("compress", "compress.constraint", "compress.stage", "descent", "format.safetensors",
                            "kernel", "mem",
                            "file")),
            Map.entry("compress.stage",
                    Set.of("compress", "compress.constraint", "reconstruct", "descent", "kernel", "mpi", "mem",
                            "file")),
            Map.entry("compress",
                    Set.of("compress.constraint", "descent", "kernel", "mpi", "mem")),
            Map.entry("compress.constraint", Set.of("descent", "kernel", "mem")),
            Map.entry("reconstruct", Set.of("compress.constraint", "kernel", "blas", "mem")),
            Map.entry("infer", Set.of("format.pare", "net", "tensor", "kernel", "mem")),
            Map.entry("tensor", Set.of("net", "blas")),
            Map.entry("text",
                    Set.of("format", "format.pare", "format.onnx", "net", "tensor", "kernel", "file")),
            Map.entry("train",
                    Set.of("descent", "exec.backend", "exec", "net", "data", "format", "format.safetensors",
                            "rewrite", "kernel", "mpi", "mem", "file")),
            Map.entry("descent", Set.of("format.safetensors", "format.tensors", "kernel", "natives", "mem", "file")),
            Map.entry("rewrite", Set.of("format.pare", "net", "mem")),
            Map.entry("format",
                    Set.of("format.pare", "format.onnx", "format.safetensors", "format.pytorch", "format.npy",
                            "format.tensors", "net", "mem", "file")),
            Map.entry("format.onnx",
                    Set.of("format.pare", "format.protobuf", "tensor", "net", "kernel", "mem", "file")),
            Map.entry("format.pare", Set.of("net", "mem", "file")),
            Map.entry("format.protobuf", Set.of("file")),
            Map.entry("format.safetensors", Set.of("format.tensors", "mem", "file")),
            Map.entry("format.pytorch", Set.of("format.tensors", "mem", "file")),
            Map.entry("format.yaml", Set.of("net", "file")),
            Map.entry("format.npy", Set.of("format.tensors", "mem", "file")),
            Map.entry("format.tensors", Set.of("mem", "file")),
            Map.entry("net", Set.of("mem")),
            Map.entry("data", Set.of("net", "format.npy", "format.tensors", "mem", "file")),
            Map.entry("exec.backend", Set.of("exec", "exec.java", "exec.onednn", "exec.sparse", "dnnl")),
            Map.entry("exec.onednn", Set.of("exec", "exec.java", "net", "dnnl", "mem")),
            Map.entry("exec.sparse", Set.of("exec", "net", "kernel", "mem")),
            Map.entry("exec.java", Set.of("exec", "net", "tensor", "blas", "kernel", "mem")),
            Map.entry("exec", Set.of("net", "kernel", "mem.direct", "mem")),
            Map.entry("dnnl", Set.of("natives", "ffm.dnnl", "mem")),
            Map.entry("blas", Set.of("dnnl", "natives", "ffm.cblas", "ffm.lapacke", "mem")),
            Map.entry("natives", Set.of("ffm.lookup", "mem", "file")),
            Map.entry("mpi", Set.of("ffm.openmpi", "ffm.mpich", "ffm.lookup", "mem")),
            Map.entry("kernel", Set.of("kernel.scalar", "kernel.simd", "kernel.passes", "mem.direct", "mem")),
            Map.entry("kernel.scalar", Set.of("kernel", "kernel.passes", "mem")),
            Map.entry("kernel.simd", Set.of("kernel", "kernel.scalar", "kernel.passes", "mem.direct", "mem")),
            Map.entry("kernel.passes", Set.of()), Map.entry("mem.direct", Set.of("mem")),
            Map.entry("mem", Set.of()),
            Map.entry("file", Set.of()),
            Map.entry("ffm.dnnl", Set.of("ffm.lookup")), Map.entry("ffm.cblas", Set.of("ffm.lookup")),
            Map.entry("ffm.lapacke", Set.of("ffm.lookup")), Map.entry("ffm.openmpi", Set.of("ffm.lookup")),
            Map.entry("ffm.mpich", Set.of("ffm.lookup")), Map.entry("ffm.lookup", Set.of()));

    /** What a program that embeds Pare may name: the module exports these packages, and the pages of all others say "Internal". */
    private static final Set<String> EXPORTED = Set.of("", "run", "reconstruct", "compress", "compress.constraint",
            "compress.stage", "compress.recipe", "infer", "train", "rewrite", "descent", "format", "format.pare",
            "format.safetensors", "format.pytorch", "format.npy", "format.onnx", "format.tensors", "format.yaml",
            "net", "data", "exec", "exec.backend", "kernel", "natives", "mpi", "mem", "file", "text");

    private static final Map<String, ClassModel> MODELS = new TreeMap<>();

    @BeforeAll
    static void readClasses() throws IOException {
        try (Stream<Path> files = Files.walk(CLASSES.resolve("io/pare"))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
                ClassModel model = ClassFile.of().parse(file);
                MODELS.put(dotted(model.thisClass().asInternalName()), model);
            }
        }
        assertTrue(MODELS.containsKey("io.pare.Main") && MODELS.size() > 20, MODELS.keySet().toString());
    }

    @Test
    void packagesUseOnlyWhatTheyMay() {
        List<String> broken = new ArrayList<>();
        MODELS.forEach((name, model) -> {
            String from = packageOf(name);
            assertTrue(ALLOWED.containsKey(from), "the rules know no package of " + name);
            for (String used : used(model)) {
                String to = packageOf(used);
                if (used.startsWith("io.pare.") && !to.equals(from) && !ALLOWED.get(from).contains(to)) {
                    broken.add(name + " uses " + used);
                }
            }
        });
        assertEquals(List.of(), broken);
    }

    @Test
    void theRulesThemselvesHaveNoCycleBeyondTheKernelsAndTheirProvider() {
        for (String start : ALLOWED.keySet()) {
            Set<String> reached = new TreeSet<>();
            List<String> open = new ArrayList<>(ALLOWED.get(start));
            while (!open.isEmpty()) {
                String next = open.removeLast();
                if (reached.add(next)) {
                    open.addAll(ALLOWED.get(next));
                }
            }
            assertTrue(start.startsWith("kernel") || !reached.contains(start), start + " reaches itself");
        }
    }

    /** Each page ends with the sentence "May use" and the row of {@link #ALLOWED}; those of the kernels say it otherwise. */
    @Test
    void everyPackageHasAPageThatSaysWhatItMayUse() throws IOException {
        Pattern sentence = Pattern.compile("(?s)<p>May use (.*?)\\.\\s*\\*/");
        for (Map.Entry<String, Set<String>> row : ALLOWED.entrySet()) {
            String name = row.getKey();
            if (name.startsWith("ffm.")) {
                continue;
            }
            Path page = pageOf(name);
            assertTrue(Files.exists(page), name + " has no package-info.java");
            Matcher said = sentence.matcher(Files.readString(page));
            boolean found = said.find();
            assertTrue(found || name.startsWith("kernel"), page + " does not say what the package may use");
            if (found) {
                Set<String> named = Pattern.compile("\\{@code ([\\w.]+)}").matcher(said.group(1)).results()
                        .map(match -> match.group(1)).collect(Collectors.toCollection(TreeSet::new));
                Set<String> allowed = new TreeSet<>(row.getValue());
                // The doors to everything: they have no page.
                allowed.remove("");
                assertEquals(allowed, named, page.toString());
            }
        }
    }

    @Test
    void pagesSayInternalWhereNothingIsExported() throws IOException {
        for (String name : ALLOWED.keySet()) {
            if (!name.startsWith("ffm.")) {
                Path page = pageOf(name);
                boolean internal = Files.readString(page).contains("<p>Internal");
                assertEquals(!EXPORTED.contains(name), internal, page + " says that it is internal: " + internal);
            }
        }
    }

    @Test
    void theModuleExportsWhatTheRulesSay() throws IOException {
        Path module = Path.of("src/main/java/module-info.java");
        if (Files.exists(module)) {
            Set<String> exported = Pattern.compile("(?m)^\\s*exports io\\.pare(?:\\.([\\w.]+))?\\s*;")
                    .matcher(Files.readString(module)).results().map(match -> Objects.toString(match.group(1), ""))
                    .collect(Collectors.toCollection(TreeSet::new));
            assertEquals(new TreeSet<>(EXPORTED), exported, module.toString());
        }
    }

    @Test
    void pagesOfExportedPackagesSayWhatToBeginWithAndWhereNullMayBe() throws IOException {
        for (String name : EXPORTED) {
            String page = Files.readString(pageOf(name));
            assertTrue(page.replaceAll("\\s+(\\* )?", " ").contains("{@link " + prefix(name)),
                    pageOf(name).toString());
            assertTrue(page.contains("@NullMarked"), pageOf(name) + " is not @NullMarked");
        }
    }

    /** What it leaves out, a program would miss only when it runs. */
    @Test
    void theJarThatPredictsHoldsAllThatItsPackagesUse() throws IOException {
        String pom = Files.readString(Path.of("pom.xml"));
        String execution = pom.substring(pom.indexOf("<id>predict</id>"));
        Set<String> held = Pattern.compile("<include>io/pare/([\\w/]*?)/?\\*+</include>")
                .matcher(execution.substring(0, execution.indexOf("</execution>"))).results()
                .map(match -> match.group(1).replace('/', '.')).collect(Collectors.toSet());
        assertTrue(held.contains("infer"), held.toString());
        Predicate<String> inside = name -> held.stream()
                .anyMatch(root -> name.equals(root) || !root.isEmpty() && name.startsWith(root + "."));
        ALLOWED.forEach((from, used) -> {
            if (inside.test(from)) {
                used.forEach(to -> assertTrue(inside.test(to), from + " uses " + to + ", which is not in the jar"));
            }
        });
    }

    /** Or a caller would get what it cannot name. */
    @Test
    void noPublicSignatureOfAnExportedPackageNamesAnInternalType() {
        List<String> broken = new ArrayList<>();
        MODELS.forEach((name, model) -> {
            if (EXPORTED.contains(packageOf(name)) && callable(name)) {
                for (String type : signatures(model)) {
                    if (type.startsWith("io.pare.") && !EXPORTED.contains(packageOf(type))) {
                        broken.add(name + " shows " + type);
                    }
                }
            }
        });
        assertEquals(List.of(), broken);
    }

    @Test
    void allArrowsPointDownInTheTableOfTheArchitecturePage() throws IOException {
        Map<String, Integer> rows = new TreeMap<>();
        List<String> table = Files.readAllLines(Path.of("docs/architecture.md")).stream()
                .dropWhile(line -> !line.startsWith("| packages |")).takeWhile(line -> line.startsWith("|")).toList();
        for (int row = 0; row < table.size(); row++) {
            Matcher name = Pattern.compile("`([\\w.]+)`").matcher(table.get(row).split("\\|")[1]);
            while (name.find()) {
                rows.put(name.group(1), row);
            }
        }
        Set<String> packages = new TreeSet<>(ALLOWED.keySet());
        packages.removeIf(name -> name.isEmpty() || name.startsWith("ffm."));
        assertEquals(packages, rows.keySet(), "the packages in the table of docs/architecture.md");
        for (String from : packages) {
            for (String to : ALLOWED.get(from)) {
                boolean kernels = from.startsWith("kernel.") && to.startsWith("kernel");
                assertTrue(kernels || to.isEmpty() || to.startsWith("ffm.") || rows.get(from) < rows.get(to),
                        from + " uses " + to + ", which is not below it in docs/architecture.md");
            }
        }
    }

    @Test
    void stepsKnowNoTape() {
        MODELS.forEach((name, model) -> {
            if (packageOf(name).matches("exec\\.(java|onednn|sparse)")) {
                assertFalse(used(model).contains("io.pare.exec.Tape"), name);
            }
        });
    }

    /** A new operator is a line in these tables, and nothing to anybody else. */
    @Test
    void operatorsAreNamedOnlyInTheTablesThatComputeAndWriteThem() {
        Set<String> tables = Set.of("net", "tensor", "exec", "infer", "rewrite", "format", "text");
        MODELS.forEach((name, model) -> {
            if (!tables.contains(packageOf(name).split("\\.")[0])) {
                assertFalse(used(model).stream().anyMatch(used -> used.startsWith("io.pare.net.Op$")
                        || used.startsWith("io.pare.net.TensorOp$")), name);
            }
        });
    }

    @Test
    void onlyTheSimdKernelsUseTheVectorApi() {
        MODELS.forEach((name, model) -> {
            if (!packageOf(name).equals("kernel.simd")) {
                assertFalse(used(model).stream().anyMatch(used -> used.startsWith(VECTOR)), name + " uses " + VECTOR);
            }
        });
    }

    @Test
    void noVectorCrossesAPublicMethodOfTheSimdKernels() {
        MODELS.forEach((name, model) -> {
            if (packageOf(name).equals("kernel.simd") && model.flags().has(AccessFlag.PUBLIC)) {
                for (MethodModel method : model.methods()) {
                    if (method.flags().has(AccessFlag.PUBLIC)) {
                        assertFalse(method.methodType().stringValue().contains("jdk/incubator/vector"),
                                name + "." + method.methodName());
                    }
                }
            }
        });
    }

    /** The compiler keeps a call that is rare for its caller, and boxes each vector that it is given. */
    @Test
    void noVectorCrossesAnyMethodOfTheSparseKernels() {
        ClassModel kernels = MODELS.get("io.pare.kernel.simd.SimdSparseKernels");
        for (MethodModel method : kernels.methods()) {
            assertFalse(method.methodType().stringValue().contains("jdk/incubator/vector"), method::toString);
            method.code().ifPresent(code -> code.forEach(element -> {
                if (element instanceof InvokeInstruction call) {
                    assertFalse(call.owner().asInternalName().startsWith("io/pare")
                            && call.type().stringValue().contains("jdk/incubator/vector"), call::toString);
                }
            }));
        }
    }

    /** The JIT leaves methods beyond 8,000 bytes of code to the interpreter. */
    @Test
    void noMethodIsTooLongToBeCompiled() {
        MODELS.forEach((name, model) -> {
            for (MethodModel method : model.methods()) {
                int length = method.findAttribute(Attributes.code()).map(CodeAttribute::codeLength).orElse(0);
                assertTrue(length < 8000, name + "." + method.methodName() + " has " + length + " bytes");
            }
        });
    }

    @Test
    void kernelsKnowNoTensor() {
        MODELS.forEach((name, model) -> {
            if (packageOf(name).startsWith("kernel")) {
                assertFalse(used(model).stream().anyMatch(used -> used.equals("io.pare.mem.FloatTensor")),
                        name);
            }
        });
    }

    @Test
    void anOldJvmCanLoadMainAndOnlyMain() {
        MODELS.forEach((name, model) -> {
            boolean main = name.equals("io.pare.Main");
            assertEquals(main ? JAVA_8 : JAVA_25, model.majorVersion(), name);
            if (main) {
                assertEquals(Set.of("io.pare.Main"),
                        Set.copyOf(used(model).stream().filter(used -> !used.startsWith("java.")).toList()));
            }
        });
    }

    @Test
    void namesSayWhatAThingIs() {
        Pattern empty = Pattern.compile(".*(Util|Utils|Helper|Manager|Impl)");
        MODELS.keySet().stream().filter(name -> !name.startsWith("io.pare.ffm."))
                .forEach(name -> assertFalse(empty.matcher(name).matches(), name));
    }

    @Test
    void restrictedCallsAreSilencedOnlyWhereTheyBelong() throws IOException {
        Set<String> may = Set.of("dnnl", "blas", "natives", "mpi", "direct");
        for (Map.Entry<Path, String> source : sources("src/main/java").entrySet()) {
            if (source.getValue().contains("@SuppressWarnings(\"restricted\")")) {
                String owner = source.getKey().getParent().getFileName().toString();
                assertTrue(may.contains(owner), source.getKey().toString());
            }
        }
    }

    @Test
    void importsAreSortedAndNameOneClassEach() throws IOException {
        Pattern line = Pattern.compile("(?m)^import (static )?([\\w.*]+);$");
        for (Map.Entry<Path, String> source : sources("src").entrySet()) {
            List<String> imports = new ArrayList<>();
            Matcher matcher = line.matcher(source.getValue());
            while (matcher.find()) {
                assertFalse(matcher.group(2).endsWith("*"), source.getKey() + ": " + matcher.group());
                imports.add((matcher.group(1) == null ? "1 " : "0 ") + matcher.group(2));
            }
            List<String> sorted = imports.stream().sorted().toList();
            assertEquals(String.join("\n", sorted), String.join("\n", imports), source.getKey().toString());
        }
    }

    private static Map<Path, String> sources(String root) throws IOException {
        Map<Path, String> sources = new TreeMap<>();
        try (Stream<Path> files = Files.walk(Path.of(root))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".java")).toList()) {
                sources.put(file, Files.readString(file));
            }
        }
        assertFalse(sources.isEmpty());
        return sources;
    }

    /** How names in a package begin. */
    private static String prefix(String name) {
        return name.isEmpty() ? "io.pare." : "io.pare." + name + ".";
    }

    private static Path pageOf(String name) {
        return Path.of("src/main/java/io/pare", name.replace('.', '/'), "package-info.java");
    }

    /** Whether the class and all that enclose it are public or protected. */
    private static boolean callable(String name) {
        ClassModel model = MODELS.get(name);
        int end = name.lastIndexOf('$');
        if (end < 0) {
            return model.flags().has(AccessFlag.PUBLIC);
        }
        return callable(name.substring(0, end))
                && model.findAttribute(Attributes.innerClasses()).stream().flatMap(inner -> inner.classes().stream())
                        .anyMatch(inner -> dotted(inner.innerClass().asInternalName()).equals(name)
                                && (inner.has(AccessFlag.PUBLIC) || inner.has(AccessFlag.PROTECTED)));
    }

    /** Every class that a caller sees: above this one, in its public and protected members, between angle brackets. */
    private static Set<String> signatures(ClassModel model) {
        Set<String> types = new TreeSet<>();
        model.superclass().ifPresent(type -> types.add(dotted(type.asInternalName())));
        model.interfaces().forEach(type -> types.add(dotted(type.asInternalName())));
        addSignature(model, types);
        for (FieldModel field : model.fields()) {
            if (shown(field.flags())) {
                addTypes(field.fieldType().stringValue(), types);
                addSignature(field, types);
            }
        }
        for (MethodModel method : model.methods()) {
            if (shown(method.flags())) {
                addTypes(method.methodType().stringValue(), types);
                addSignature(method, types);
                method.findAttribute(Attributes.exceptions()).ifPresent(thrown -> thrown.exceptions()
                        .forEach(type -> types.add(dotted(type.asInternalName()))));
            }
        }
        return types;
    }

    private static boolean shown(AccessFlags flags) {
        return (flags.has(AccessFlag.PUBLIC) || flags.has(AccessFlag.PROTECTED)) && !flags.has(AccessFlag.SYNTHETIC);
    }

    private static void addSignature(AttributedElement element, Set<String> types) {
        element.findAttribute(Attributes.signature())
                .ifPresent(signature -> addTypes(signature.signature().stringValue(), types));
    }

    /** Every class that the constant pool or a signature names. */
    private static Set<String> used(ClassModel model) {
        Set<String> used = new TreeSet<>();
        for (PoolEntry entry : model.constantPool()) {
            switch (entry) {
                case ClassEntry c -> addTypes(c.asInternalName().startsWith("[")
                        ? c.asInternalName()
                        : "L" + c.asInternalName() + ";", used);
                case NameAndTypeEntry n -> addTypes(n.type().stringValue(), used);
                case MethodTypeEntry m -> addTypes(m.descriptor().stringValue(), used);
                default -> {
                }
            }
        }
        model.fields().forEach(field -> addTypes(field.fieldType().stringValue(), used));
        model.methods().forEach(method -> addTypes(method.methodType().stringValue(), used));
        return used;
    }

    private static void addTypes(String descriptor, Set<String> types) {
        Matcher matcher = Pattern.compile("L([^;<]+)").matcher(descriptor);
        while (matcher.find()) {
            types.add(dotted(matcher.group(1)));
        }
    }

    private static String dotted(String internalName) {
        return internalName.replace('/', '.');
    }

    /** The package below {@code io.pare}: "" for Main, "kernel.simd", and so on. */
    private static String packageOf(String name) {
        if (!name.startsWith("io.pare.")) {
            return name;
        }
        String owner = name.substring(0, name.lastIndexOf('.'));
        return owner.equals("io.pare") ? "" : owner.substring("io.pare.".length());
    }
}
