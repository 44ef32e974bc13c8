package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pare.data.IdxFiles;
import io.pare.data.Numpy;
import io.pare.data.Pictures;
import io.pare.exec.backend.Precision;
import io.pare.format.NetworkFile;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.PrunedNets;
import io.pare.net.Shape;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Each option of each command either acts whatever the rest of the line is, or is refused in one line where it cannot. The
 * tables below name all of them: whoever adds an option says here which it is.
 */
class UnusedOptionsTest {
    /** Options that act in every case, by command. */
    private static final Map<String, String> ACT = Map.ofEntries(
            Map.entry("train", "--from --epochs --batch-size --accumulate --memory-limit --recompute --lr --optimizer"
                    + " --weight-decay --schedule --warm-up --clip-norm --patience --attack --dropout --validation --seed --threads"
                    + " --precision --dataset --loaders --out --resume --report --tensorboard --quiet --deterministic"),
            Map.entry("compress",
                    "--from --recipe --auto --cost --steps --memory-limit --recompute --out --report --seed"
                            + " --threads --precision --dataset --loaders --tensorboard --quiet --no-pack --provenance --anew"
                            + " --deterministic"),
            Map.entry("sweep", "--threads --out --gather --run --slurm --kubernetes --quiet"),
            Map.entry("sensitivity", "--from --seed --threads --dataset --loaders --report --plot"),
            Map.entry("eval", "--model --engine --dataset --loaders --threads --report --sts --attack"),
            Map.entry("embed", "--text --out --tokenizer --pooling --threads"),
            Map.entry("cifar10", "--data --download --sheet"), Map.entry("cifar100", "--data --download --sheet"),
            Map.entry("folder", "--size --threads --sheet"), Map.entry("mnist", "--data --sheet"),
            Map.entry("models", ""),
            // What is kept, rounded or removed may be nothing, but then the wish is fulfilled.
            Map.entry("export",
                    "--model --out --as --weights --dense --remove-dead --keep-batch-norm --biases --sort --scale"),
            Map.entry("inspect", "--model --report --scale"),
            Map.entry("predict", "--model --image --batch --task --invert --scale --damaged --background"),
            Map.entry("run", "--input --out --engine --threads"), Map.entry("bench-infer", "--model --batch --seconds"),
            Map.entry("measure", "--model --out --seconds"), Map.entry("doctor", "--threads"));

    /** A command line in which an option would do nothing, and what is said of it. */
    private record Case(String command, String option, String line, String said) {}

    private static final String DIGITS = "--data @digits";
    private static final String ARRAYS = "--data @own.npz";

    @TempDir
    Path folder;

    private static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (String command : List.of("train", "compress", "sensitivity", "eval")) {
            String begin = command.equals("compress") ? "compress --recipe prune" : command;
            String vector = begin + " @vector.pare ";
            String grey = begin + " @grey.pare " + DIGITS;
            cases.add(new Case(command, "--images", grey + " --images 5", "--images is for --data synthetic"));
            cases.add(new Case(command, "--resize", grey + " --resize 40", "--resize is for folders of pictures"));
            cases.add(new Case(command, "--damaged", grey + " --damaged skip", "--damaged is for folders of pictures"));
            cases.add(new Case(command, "--non-rgb", grey + " --non-rgb skip", "--non-rgb is for folders of pictures"));
            cases.add(new Case(command, "--background", grey + " --background white",
                    "--background is for folders of pictures"));
            cases.add(new Case(command, "--scale", vector + ARRAYS + " --scale unit", "--scale is for pixels"));
            cases.add(
                    new Case(command, "--task", grey + " --task regress", "--task regress takes arrays with targets"));
            cases.add(new Case(command, "--data", grey + " --dataset synthetic", "--dataset synthetic reads nothing"));
            cases.add(
                    new Case(command, "--images", vector + ARRAYS + " --images 5", "--images is for --data synthetic"));
            cases.add(new Case(command, "--resize", vector + "--data synthetic --resize 9", "--resize is for folders"));
        }
        for (String command : List.of("train", "compress", "sensitivity")) {
            String grey = (command.equals("compress") ? "compress --recipe prune" : command) + " @grey.pare " + DIGITS;
            cases.add(new Case(command, "--names", grey + " --names @map", "--names belongs to --from"));
            cases.add(
                    new Case(command, "--ignore-extra", grey + " --ignore-extra", "--ignore-extra belongs to --from"));
            cases.add(new Case(command, "--names", grey + " --from @grey.pare --names @map",
                    "--names is for files of tensors"));
            cases.add(new Case(command, "--ignore-extra", grey + " --from @grey.onnx --ignore-extra",
                    "--ignore-extra is for files of tensors"));
            cases.add(new Case(command, "--dim", grey + " --from @grey.pare --dim h=9", "are for ONNX files"));
            cases.add(new Case(command, "--output-name", grey + " --output-name y", "are for ONNX files"));
        }
        for (String line : List.of("eval @grey.pare " + DIGITS, "export @grey.pare --out @x.onnx", "inspect @grey.pare",
                "predict @grey.pare --image @one.png", "bench-infer @grey.pare", "measure @grey.pare --out @cost.json",
                "run @grey.pare --input @x.npy --out @o")) {
            String command = line.substring(0, line.indexOf(' '));
            for (String kind : List.of("pare", "onnx")) {
                String own = line.replace("grey.pare", "grey." + kind);
                cases.add(new Case(command, "--names", own + " --names @map", "--names is for files of tensors"));
                cases.add(new Case(command, "--ignore-extra", own + " --ignore-extra",
                        "--ignore-extra is for files of tensors"));
            }
            cases.add(new Case(command, "--dim", line + " --dim h=9", "are for ONNX files"));
            cases.add(new Case(command, "--output-name", line + " --output-name y", "are for ONNX files"));
            cases.add(new Case(command, "--output-name", line + " --model @grey.pare --output-name y",
                    "are for ONNX files"));
        }
        cases.add(new Case("sweep", "--jobs", "sweep @x.yaml --gather --jobs 2", "--jobs belongs to runs of a whole"));
        cases.add(new Case("sweep", "--image", "sweep @x.yaml --image a", "--image belongs to --kubernetes"));
        cases.add(new Case("sweep", "--claim", "sweep @x.yaml --slurm @x.sh --claim a",
                "--claim belongs to --kubernetes"));
        cases.add(
                new Case("sweep", "--tensorboard", "sweep @x.yaml --gather --tensorboard @x", "belongs to runs here"));
        String train = "train lenet300 " + DIGITS;
        String compress = "compress lenet300 " + DIGITS;
        cases.addAll(List.of(
                new Case("train", "--keep-zeros", train + " --keep-zeros", "--keep-zeros belongs to --from"),
                new Case("train", "--momentum", train + " --momentum 0.5", "--momentum belongs to --optimizer sgd"),
                new Case("train", "--lr-floor", train + " --schedule step --lr-floor 0.1",
                        "--lr-floor belongs to --schedule cosine"),
                new Case("train", "--shift", "train @vector.pare --shift 1 " + ARRAYS, "are for pictures"),
                new Case("train", "--flip", "train @vector.pare --flip " + ARRAYS, "are for pictures"),
                new Case("train", "--crop", "train @vector.pare --crop random " + ARRAYS, "are for pictures"),
                new Case("train", "--rotate", "train @vector.pare --rotate 5 " + ARRAYS,
                        "--rotate belongs to pictures"),
                new Case("train", "--zoom", "train @vector.pare --zoom 0.1 " + ARRAYS, "--zoom belongs to pictures"),
                new Case("train", "--shear", "train @vector.pare --shear 1 " + ARRAYS, "--shear belongs to pictures"),
                new Case("train", "--elastic", "train @vector.pare --elastic 1 " + ARRAYS, "--elastic belongs to"),
                new Case("train", "--sub-pixel", "train @vector.pare --sub-pixel " + ARRAYS, "--sub-pixel belongs to"),
                new Case("train", "--sub-pixel", train + " --shift 0 --sub-pixel", "--sub-pixel belongs to --shift"),
                new Case("train", "--epsilon", train + " --epsilon 0.3", "--epsilon belongs to --attack"),
                new Case("train", "--attack-step", train + " --attack-step 0.3", "--attack-step belongs to --attack"),
                new Case("train", "--attack-steps", train + " --attack-steps 3", "--attack-steps belongs to --attack"),
                new Case("train", "--attack", "train @vector.pare --attack pgd --epsilon 0.1 " + ARRAYS,
                        "--attack is for pictures"),
                new Case("eval", "--epsilon", "eval @grey.pare --epsilon 0.3", "--epsilon belongs to --attack"),
                new Case("eval", "--attack-step", "eval @grey.pare --attack-step 0.3", "--attack-step belongs to"),
                new Case("eval", "--attack-steps", "eval @grey.pare --attack-steps 3", "--attack-steps belongs to"),
                new Case("eval", "--restarts", "eval @grey.pare --restarts 3", "--restarts belongs to --attack"),
                new Case("eval", "--seed", "eval @grey.pare --seed 3", "--seed belongs to --attack"),
                new Case("eval", "--engine", "eval @grey.pare --engine sparse --attack pgd --epsilon 0.1 " + DIGITS,
                        "leave --engine out"),
                new Case("eval", "--attack", "eval @vector.pare --attack pgd --epsilon 0.1 " + ARRAYS,
                        "--attack is for pictures"),
                new Case("compress", "--ratio", compress + " --ratio 2", "belong to --auto"),
                new Case("compress", "--ratio", compress + " --recipe lenet300-prune --ratio 2", "--ratio belongs to"),
                new Case("compress", "--bytes", compress + " --recipe prune --bytes 99", "belong to --auto"),
                new Case("compress", "--budget", compress + " --recipe prune --budget macs<=9k", "belong to --auto"),
                new Case("compress", "--budget", compress + " --recipe reconstruct --budget macs<=9k",
                        "budget cannot be"),
                new Case("compress", "--budget", compress + " --recipe reconstruct --block 32 --budget bops<=9k",
                        "leave --block out"),
                new Case("compress", "--budget", compress + " --auto --budget latency<=9us", "needs a table"),
                new Case("compress", "--floor", compress + " --recipe prune --floor 0.9", "belong to --auto"),
                new Case("compress", "--calibrate", compress + " --recipe prune --calibrate @x.npy",
                        "--calibrate belongs to --recipe reconstruct"),
                new Case("compress", "--tokenizer",
                        "compress @grey.pare --recipe reconstruct --calibrate @x.npy --tokenizer @t.json",
                        "--tokenizer belongs to --calibrate with a .txt file"),
                new Case("compress", "--samples", compress + " --recipe prune --samples 9", "--samples belongs to"),
                new Case("compress", "--bits", compress + " --recipe joint --bits 3", "--bits belongs to"),
                new Case("compress", "--method", compress + " --auto --ratio 9 --method wanda", "--method belongs to"),
                new Case("compress", "--block", compress + " --recipe prune --block 32", "--block belongs to"),
                new Case("compress", "--file-bytes", compress + " --recipe prune --file-bytes 9M",
                        "--file-bytes belongs to"),
                new Case("compress", "--file-bytes", compress + " --recipe reconstruct --file-bytes 9M",
                        "--file-bytes belongs to --calibrate"),
                new Case("compress", "--block",
                        "compress @grey.pare --recipe reconstruct --calibrate @x.npy --file-bytes 9M --block 32",
                        "leave --block out"),
                new Case("train", "--gradients", train + " --gradients bf16", "--gradients is for several processes"),
                new Case("compress", "--gradients", compress + " --recipe prune --gradients bf16",
                        "--gradients is for several processes"),
                new Case("train", "--whole-batch-norm", train + " --whole-batch-norm",
                        "--whole-batch-norm is for several processes"),
                new Case("compress", "--whole-batch-norm", compress + " --recipe prune --whole-batch-norm",
                        "--whole-batch-norm is for several processes"),
                new Case("export", "--report", "export @grey.pare --out @x.onnx --report @r.json",
                        "--report is for --dense"),
                new Case("export", "--weights", "export @grey.pare --out @x.pare --weights int4",
                        "--weights belongs to --as onnx"),
                new Case("export", "--progressive", "export @grey.pare --out @x.onnx --progressive",
                        "--progressive belongs to --as pare"),
                new Case("export", "--block", "export @grey.pare --out @x.onnx --block 32",
                        "--block belongs to --weights"),
                new Case("export", "--into", "export @grey.pare --out @x.onnx --into @grey.onnx",
                        "--into belongs to --weights"),
                new Case("export", "--dense", "export @grey.onnx --out @x.onnx --weights int4 --dense",
                        "--dense changes the graph"),
                new Case("compress", "--resize",
                        "compress @grey.pare --recipe reconstruct --calibrate @x.npy --resize 9",
                        "--resize belongs to --data"),
                new Case("compress", "--damaged",
                        "compress @grey.pare --recipe reconstruct --calibrate @x.npy --damaged skip",
                        "--damaged is for folders of pictures"),
                new Case("compress", "--admm-file", compress + " --recipe @retrain.yaml --admm-file @zu",
                        "--admm-file is for stages with ADMM"),
                new Case("eval", "--tokenizer", "eval @grey.pare --tokenizer @t.json",
                        "--tokenizer is for sentence encoders"),
                new Case("eval", "--pooling", "eval @grey.pare --pooling first", "--pooling is for sentence encoders"),
                new Case("eval", "--precision", "eval @grey.pare --precision bf16 " + DIGITS,
                        Precision.BF16.obstacle().orElse("sparse engine has fp32 only")),
                new Case("models", "--input", "models @grey.pare --input 1x9x9", "--input belongs to a name"),
                new Case("models", "--input", "models --input 1x9x9", "need a network"),
                new Case("models", "--classes", "models @grey.onnx --classes 5", "--classes belongs to a name"),
                new Case("models", "--classes", "models @fixed.yaml --classes 5", "--classes 5 changes nothing"),
                new Case("models", "--dim", "models lenet5 --dim h=9", "are for ONNX files"),
                new Case("models", "--output-name", "models @fixed.yaml --output-name y", "are for ONNX files"),
                new Case("predict", "--top", "predict @grey.pare --image @one.png --task regress --top 2",
                        "--top belongs to --task classify"),
                new Case("predict", "--threshold", "predict @grey.pare --image @one.png --threshold 0.1",
                        "--threshold belongs to --task multilabel"),
                new Case("run", "--constant", "run @grey.pare --input @x.npy --constant a=@x.npy --out @o",
                        "--constant is for ONNX files"),
                new Case("run", "--model", "run @grey.onnx --input @x.npy --model lenet5 --out @o",
                        "--model is for files of tensors")));
        for (String set : List.of("mnist", "cifar10", "cifar100", "folder")) {
            String line = "data " + set + (set.equals("folder") ? " @digits" : " --data @digits");
            for (String option : List.of("--part test", "--rows 3", "--columns 3")) {
                String name = option.substring(0, option.indexOf(' '));
                cases.add(new Case(set, name, line + " " + option, name + " belongs to --sheet"));
            }
            if (set.startsWith("cifar")) {
                cases.add(new Case(set, "--url", line + " --url http://localhost/a", "--url says where --download"));
            }
        }
        return cases;
    }

    @BeforeEach
    void files() throws IOException {
        IdxFiles.folder(folder.resolve("digits"), 120, 40);
        Net grey = new NetBuilder("grey", Shape.of(1, 28, 28)).flatten("flatten").linear("fc", 10).build();
        Net vector = new NetBuilder("vector", Shape.of(4)).linear("fc", 3).build();
        NetworkFile.write(folder.resolve("grey.pare"), PrunedNets.of(grey, Map.of(), 3, 1, 8), NetworkFile.Kind.PARE);
        NetworkFile.write(folder.resolve("grey.onnx"), PrunedNets.of(grey, Map.of(), 3, 1, 8), NetworkFile.Kind.ONNX);
        NetworkFile.write(folder.resolve("vector.pare"), PrunedNets.of(vector, Map.of(), 3, 1, 8),
                NetworkFile.Kind.PARE);
        new Numpy().add("x", "f4", i -> i % 7, 60, 4).add("y", "i8", i -> i % 3, 60).write(folder.resolve("own.npz"));
        Files.write(folder.resolve("x.npy"), Numpy.npy("f4", i -> i % 7, 2, 1, 28, 28));
        Pictures.write(folder.resolve("one.png"), Pictures.smooth(28, 28, BufferedImage.TYPE_BYTE_GRAY, 1));
        Files.writeString(folder.resolve("map"), "fc.weight=w\n");
        Files.writeString(folder.resolve("fixed.yaml"), "input: 1x9x9\nlayers: [{linear: {out: 3}}]\n");
        Files.writeString(folder.resolve("retrain.yaml"),
                "name: retrain\nstages:\n  - mask-retrain: {train: {epochs: 1}}\n");
    }

    @Test
    void whatWouldDoNothingIsRefusedInOneLine() throws IOException {
        Set<String> before = left();
        List<String> wrong = new ArrayList<>();
        for (Case each : cases()) {
            String line =
                    each.line + (each.line.matches("(train|compress) .*") ? " --quiet --threads 1 --out @out" : "");
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            int exit = Commands.run(TerminalWriter.of(new ByteArrayOutputStream(), StandardCharsets.UTF_8),
                    TerminalWriter.of(err, StandardCharsets.UTF_8),
                    Arrays.stream(line.split(" ")).map(word -> word.replace("@", folder + "/")).toArray(String[]::new));
            String said = err.toString(StandardCharsets.UTF_8);
            long refusals = said.lines().filter(text -> text.contains(each.said)).count();
            if (exit != Commands.USAGE || refusals != 1 || said.lines().count() > 2) {
                wrong.add(each.line + " gives " + exit + " " + said);
            }
        }
        assertEquals(List.of(), wrong);
        assertEquals(before, left());
    }

    private Set<String> left() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(Path::toString).collect(Collectors.toCollection(TreeSet::new));
        }
    }

    @Test
    void eachOptionOfEachCommandIsInATable() {
        Map<String, Set<String>> named = cases().stream().collect(Collectors.groupingBy(Case::command,
                Collectors.mapping(Case::option, Collectors.toCollection(TreeSet::new))));
        List<String> wrong = new ArrayList<>();
        commands(Commands.line()).forEach(line -> {
            String command = line.getCommandName();
            Set<String> known = new TreeSet<>(named.getOrDefault(command, Set.of()));
            known.addAll(List.of(ACT.getOrDefault(command, "").split(" ")));
            known.remove("");
            Set<String> has = line.getCommandSpec().options().stream().map(OptionSpec::longestName)
                    .map(name -> name.replaceFirst("^--\\[no-\\]", "--"))
                    .filter(name -> !Set.of("--help", "--version", "--debug").contains(name))
                    .collect(Collectors.toCollection(TreeSet::new));
            if (!known.equals(has)) {
                wrong.add(command + " has " + has + ", tables name " + known);
            }
        });
        assertEquals(List.of(), wrong);
    }

    private static Stream<CommandLine> commands(CommandLine line) {
        return line.getSubcommands().isEmpty()
                ? Stream.of(line)
                : line.getSubcommands().values().stream().flatMap(UnusedOptionsTest::commands);
    }
}
